//! The state file's name in a folder where others can write, and how a new file appears.

use flux_tests::{Guest, Outcome, Run, artifacts};
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A folder of the test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("flux-names-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Under libidle.so in `folder`, with this file if any.
fn idle(folder: &Path, file: Option<&str>) -> Outcome {
    let guest = Guest::new("statefile/tree").compile();
    let run = Run::new(&guest).arg("waits").stdin("xyz").cwd(folder);
    let run = run.env("LD_PRELOAD", &artifacts().libidle).env_remove("LIBIDLE_STATEFILE");
    match file {
        Some(file) => run.env("LIBIDLE_STATEFILE", file).run(),
        None => run.run(),
    }
}

#[track_caller]
fn assert_untracked(outcome: &Outcome, name: &str, reason: &str) {
    let line =
        format!("libidle: cannot use {name} as state file: {reason}; the program runs untracked\n");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("xyz", &*line), "{outcome}");
}

fn root() -> bool {
    // SAFETY: only asks.
    unsafe { libc::geteuid() == 0 }
}

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(65534), Some(65534)).expect("root may");
}

#[test]
fn the_default_name_leads_nowhere_else() {
    let Folder(folder) = &Folder::new("default");
    let (victim, name) = (folder.join("victim"), folder.join(".libidle_state"));
    for target in [&victim, &folder.join("missing"), folder] {
        fs::write(&victim, "7\n").expect("ours");
        symlink(target, &name).expect("a link");
        assert_untracked(
            &idle(folder, None),
            ".libidle_state",
            "it is a link; name the file instead",
        );
        fs::remove_file(&name).expect("ours");
        assert_eq!(fs::read_to_string(&victim).expect("still there"), "7\n");
        assert!(!folder.join("missing").exists());
    }
    if root() {
        fs::hard_link(&victim, &name).expect("another name");
        give_away(&victim);
        assert_untracked(&idle(folder, None), ".libidle_state", "it belongs to somebody else");
        assert_eq!(fs::read_to_string(&victim).expect("still there"), "7\n");
        fs::remove_file(&name).expect("ours");
    }
    let outcome = idle(folder, None);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("xyz", ""), "{outcome}");
    assert_ne!(fs::read_to_string(&name).expect("made"), "");
}

#[test]
fn a_given_name_may_be_a_link_of_ones_own() {
    let Folder(folder) = &Folder::new("given");
    let (file, link) = (folder.join("file"), folder.join("link"));
    symlink("file", &link).expect("a link");
    // What it leads to is made, and then used.
    for _ in 0..2 {
        assert_eq!(idle(folder, Some("link")).stderr, "");
        assert_ne!(fs::read_to_string(&file).expect("made"), "");
    }
    let option = format!("--statefile={}", link.display());
    let session = || Run::launcher().args([&*option, "--", "true"]).run();
    session().assert_success();
    if root() {
        let before = fs::read_to_string(&file).expect("ours");
        give_away(&link);
        assert_untracked(&idle(folder, Some("link")), "link", "it is somebody else's link");
        let refused = session();
        let line = format!(
            "flux-launch: cannot use {} as state file: it is somebody else's link\n",
            link.display()
        );
        assert_eq!((refused.code(), refused.stderr.as_str()), (125, &*line), "{refused}");
        assert_eq!(fs::read_to_string(&file).expect("ours"), before);
    }
    fs::remove_file(&link).expect("ours");
    symlink("link", &link).expect("a link");
    assert_untracked(&idle(folder, Some("link")), "link", "it is a link to itself");
}

#[test]
fn a_fifos_other_end_notices_nothing() {
    let Folder(folder) = &Folder::new("fifo");
    let fifo = folder.join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("mkfifo").success());
    // A writer that was let in would be told that its reader is gone.
    let writer = std::process::Command::new("sh")
        .args(["-c", "echo text >fifo && echo written"])
        .current_dir(folder)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a shell");
    std::thread::sleep(std::time::Duration::from_millis(100));
    for _ in 0..3 {
        assert_untracked(&idle(folder, Some("fifo")), "fifo", "it is no regular file");
    }
    assert_eq!(fs::read_to_string(&fifo).expect("a writer"), "text\n");
    assert_eq!(writer.wait_with_output().expect("our child").stdout, b"written\n");
    // One for rows that nobody reads.
    let guest = Guest::new("statefile/tree").compile();
    let run = Run::new(&guest).arg("waits").stdin("xyz").cwd(folder).env("LIBIDLE_VERBOSE", "fifo");
    let outcome = run.env("LD_PRELOAD", &artifacts().libidle).run();
    assert_eq!(outcome.stdout, "xyz", "{outcome}");
    assert!(outcome.stderr.contains("LIBIDLE_VERBOSE"), "{outcome}");
}

#[test]
fn a_new_file_is_its_owners_and_locked_from_its_first_instant() {
    let Folder(folder) = &Folder::new("new");
    let name = folder.join("state");
    // It is busy for as long as it lives.
    let program = ["-c", "for ((i = 0; i < 20000; i++)); do :; done"];
    for round in 0..100 {
        let over = AtomicBool::new(false);
        let free = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let file = loop {
                    match File::open(&name) {
                        Ok(file) => break file,
                        Err(_) if over.load(Relaxed) => panic!("no file was made"),
                        Err(_) => std::hint::spin_loop(),
                    }
                };
                // SAFETY: plain numbers.
                unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_SH | libc::LOCK_NB) == 0 }
            });
            let run = if round % 2 == 0 {
                Run::new("bash")
                    .args(program)
                    .env("LD_PRELOAD", &artifacts().libidle)
                    .env("LIBIDLE_STATEFILE", &name)
            } else {
                let option = format!("--statefile={}", name.display());
                Run::launcher().args([&*option, "--", "bash"]).args(program)
            };
            run.run().assert_success();
            over.store(true, Relaxed);
            watcher.join().expect("it saw the file")
        });
        assert!(!free, "round {round}: seen free before the program has begun");
        let found = fs::metadata(&name).expect("made");
        assert_eq!((found.permissions().mode() & 0o777, found.nlink()), (0o600, 1));
        fs::remove_file(&name).expect("ours");
    }
}
