//! `--wait-idle FILE`: waits until the program that has this state file is idle, for scripts and
//! tests.
//!
//! A busy program holds an exclusive lock (flock(2)) on its state file, an idle one does not, and
//! the file then holds the number of its busy periods. So whoever gets a shared lock may read the
//! number: the program cannot go busy meanwhile.
//!
//! Three things wait: a thread for the lock, a thread for changes of the file (inotify(7)), and the
//! loop in [`wait`] for both of them or the time-out, whichever comes first. That takes neither a
//! signal nor a look now and then. The file is opened anew at each look, since it may have been
//! replaced. A thread that still waits at the end ends with the process.

use crate::report::messages;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any number and its newline.
const LONGEST: u64 = 32;

/// Which file a name leads to: device and inode.
type Identity = (u64, u64);

enum Event {
    /// The file was written to, or its name may lead to another file now.
    Changed,
    /// That file was not locked for a moment, and held this.
    Unlocked(Identity, io::Result<Option<u64>>),
}

/// Waits until the state file `path` is not locked and its number is greater than `after`, and
/// gives that number; `None` when `timeout` is over first. With a time-out of zero it only looks.
///
/// # Errors
/// One line: the file does not exist (any more), cannot be read, or holds anything else than a
/// number and a newline. An empty file is no error: its program has not started yet.
pub fn wait(
    path: &Path,
    after: Option<u64>,
    timeout: Option<Duration>,
) -> Result<Option<u64>, String> {
    // What is too far away to be said is as good as never.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let failed = |e: io::Error| explain(path, &e);
    let is_past = |number: u64| after.is_none_or(|after| number > after);
    let inotify = Arc::new(Inotify::init(InitFlags::IN_CLOEXEC).map_err(|e| unwatched(&e))?);
    let (sender, events) = channel();
    report_changes(inotify.clone(), sender.clone()).map_err(|e| unstarted(&e))?;
    let mut awaited = None;
    loop {
        // Watched first and looked at then: no change is missed between the two.
        let changes =
            AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MOVE_SELF;
        inotify.add_watch(path, changes).map_err(|e| match e {
            Errno::EMFILE | Errno::ENOSPC | Errno::ENOMEM => unwatched(&e),
            e => failed(e.into()),
        })?;
        let (file, identity) = open(path).map_err(failed)?;
        match Flock::lock(file, FlockArg::LockSharedNonblock) {
            Ok(mut file) => {
                if let Some(number) = number(&mut file).map_err(failed)?
                    && is_past(number)
                {
                    return Ok(Some(number));
                }
            }
            Err((_, Errno::EWOULDBLOCK)) if awaited == Some(identity) => {}
            Err((file, Errno::EWOULDBLOCK)) => {
                awaited = Some(identity);
                report_unlocking(file, identity, sender.clone()).map_err(|e| unstarted(&e))?;
            }
            Err((_, e)) => return Err(failed(e.into())),
        }
        let event = match deadline {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(deadline) => {
                events.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            }
        };
        match event {
            Ok(Event::Unlocked(identity, number)) => {
                awaited = awaited.filter(|&it| it != identity);
                let current =
                    fs::metadata(path).map(|found| (found.dev(), found.ino())).map_err(failed)?;
                if current == identity
                    && let Some(number) = number.map_err(failed)?
                    && is_past(number)
                {
                    return Ok(Some(number));
                }
            }
            Ok(Event::Changed) => {}
            Err(_) => return Ok(None),
        }
    }
}

/// Opens what the name leads to now.
fn open(path: &Path) -> io::Result<(File, Identity)> {
    // Not blocking: a FIFO would wait for its other end.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let found = file.metadata()?;
    if found.is_file() {
        Ok((file, (found.dev(), found.ino())))
    } else {
        Err(ErrorKind::InvalidData.into())
    }
}

/// The number in a locked state file; none while it is empty.
fn number(file: &mut Flock<File>) -> io::Result<Option<u64>> {
    let mut text = String::new();
    (&mut **file).take(LONGEST).read_to_string(&mut text)?;
    if text.is_empty() {
        return Ok(None);
    }
    let digits =
        text.strip_suffix('\n').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or_else(|| ErrorKind::InvalidData.into())
}

/// Tells of each change of what is watched, from a thread.
fn report_changes(inotify: Arc<Inotify>, sender: Sender<Event>) -> io::Result<()> {
    let watch =
        move || while inotify.read_events().is_ok() && sender.send(Event::Changed).is_ok() {};
    thread::Builder::new().spawn(watch).map(drop)
}

/// Waits for the lock in a thread, reads the number under it, and tells.
fn report_unlocking(file: File, identity: Identity, sender: Sender<Event>) -> io::Result<()> {
    let wait = move || {
        let number = match Flock::lock(file, FlockArg::LockShared) {
            Ok(mut file) => number(&mut file),
            Err((_, e)) => Err(e.into()),
        };
        sender.send(Event::Unlocked(identity, number))
    };
    thread::Builder::new().spawn(wait).map(drop)
}

fn explain(path: &Path, e: &io::Error) -> String {
    let file = path.display();
    match e.kind() {
        ErrorKind::InvalidData => {
            format!(
                "{file} is not a state file: one holds a number, as the program's LIBIDLE_STATEFILE does"
            )
        }
        ErrorKind::NotFound => {
            format!(
                "{file}: no such file; make an empty one (`: > FILE`) before its program is started"
            )
        }
        _ => format!("cannot wait for {file}: {e}"),
    }
}

fn unstarted(e: &io::Error) -> String {
    format!("cannot start a thread: {}; see ulimit -u and -v", messages::why(e))
}

fn unwatched(e: &Errno) -> String {
    format!("cannot watch a file: {e}; see fs.inotify in inotify(7)")
}
