//! A program under libidle.so, and its state file as anybody outside would read it.

use crate::artifacts::artifacts;
use crate::process_tree;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes to come to rest, also while the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that is tracked. Whatever is left of it is killed when this goes out of scope.
#[derive(Debug)]
pub struct Tracked {
    /// The program.
    pub child: Child,
    folder: PathBuf,
    file: File,
}

/// A number read under the lock, which is held as long as this lives: the program cannot go busy.
#[derive(Debug)]
pub struct Rest<'a> {
    /// How often it has gone busy.
    pub number: u64,
    file: &'a File,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        flock(self.file, libc::LOCK_UN).expect("unlocked");
    }
}

fn flock(file: &File, operation: i32) -> io::Result<()> {
    // SAFETY: an open descriptor, and a number.
    match unsafe { libc::flock(file.as_raw_fd(), operation) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

impl Tracked {
    /// Starts the command with libidle.so, and a state file in a folder of its own.
    pub fn start(command: &mut Command) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "flux-tracked-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder for a state file");
        let state = folder.join("state");
        // There before its program, so that it can be opened now, and writable by a program that
        // changes its user.
        let file = File::create_new(&state).and_then(|_| File::open(&state)).expect("a state file");
        fs::set_permissions(&state, fs::Permissions::from_mode(0o666)).expect("ours");
        command
            .env("LD_PRELOAD", &artifacts().libidle)
            .env("LIBIDLE_STATEFILE", &state)
            .process_group(0);
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Tracked { child, folder, file }
    }

    /// The state file.
    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// The lock and the number if it is idle now. An empty file is one whose program has not
    /// started.
    pub fn rests(&self) -> Option<Rest<'_>> {
        match flock(&self.file, libc::LOCK_SH | libc::LOCK_NB) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => None,
            Err(e) => panic!("flock: {e}"),
            Ok(()) => {
                let mut rest = Rest { number: 0, file: &self.file };
                rest.number = number(&self.file)?;
                Some(rest)
            }
        }
    }

    /// Waits until it is idle and its number is greater than this one.
    #[track_caller]
    pub fn rest_past(&self, past: u64) -> Rest<'_> {
        let start = Instant::now();
        loop {
            match self.rests() {
                Some(rest) if rest.number > past => return rest,
                _ => thread::sleep(Duration::from_micros(100)),
            }
            if start.elapsed() > PATIENCE {
                let threads = process_tree::describe(self.child.id());
                panic!(
                    "not idle past {past}; the file holds {:?}; its threads:\n{threads}",
                    number(&self.file)
                );
            }
        }
    }

    /// Waits until it ends.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status;
            }
            let threads = || process_tree::describe(self.child.id());
            assert!(start.elapsed() < PATIENCE, "it does not end; its threads:\n{}", threads());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: kill(2) takes two numbers; the child has not been waited for, so the number is
        // still its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        match self.child.try_wait() {
            Ok(Some(_)) => process_tree::kill_group(self.child.id()),
            _ => process_tree::kill_all(self.child.id()),
        }
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The number in a state file; none while it is empty.
fn number(file: &File) -> Option<u64> {
    let mut text = [0; 32];
    let length = file.read_at(&mut text, 0).expect("readable");
    let text = std::str::from_utf8(&text[..length]).expect("a number");
    assert!(text.is_empty() || text.ends_with('\n'), "torn: {text:?}");
    (!text.is_empty()).then(|| text.trim_end().parse().unwrap_or_else(|e| panic!("{text:?}: {e}")))
}
