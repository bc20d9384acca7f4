//! What the session's programs have changed, as the region keeps it.

use super::inode::{Inode, SECOND};
use engine::region::file_times::Which;
use engine::{ClockMode, Engine};
use interpose::shim::clock_id;
use interpose::shim::session;
use interpose::shim::written_files;
use libc::{AT_FDCWD, c_char, c_int};
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

/// Contents and inode were changed.
pub const WRITTEN: &[Which] = &[Which::Modify, Which::Change];
/// The inode was changed, and not the contents.
pub const CHANGED: &[Which] = &[Which::Change];
/// The file is new.
pub const CREATED: &[Which] = &[Which::Access, Which::Modify, Which::Change, Which::Birth];

/// A path relative to the working directory.
pub const HERE: c_int = AT_FDCWD;

/// The machine's time of day when this process joined the session, ns since 1970.
static BEGAN: AtomicI64 = AtomicI64::new(0);

/// No change that this process has made is stored with an earlier time; 0 before it has joined.
#[inline]
pub fn began() -> i64 {
    BEGAN.load(Relaxed)
}

/// The process has joined a session.
pub fn begin() {
    BEGAN.store(tick(), Relaxed);
    written_files::begin();
}

/// What the session's clock reads for the stored time `real`, if the file was changed since the
/// clock moved last; ns since 1970.
fn virtual_time(engine: &Engine, real: i64) -> i64 {
    match engine.page.mode() {
        ClockMode::Frozen => now(engine),
        _ => {
            let jumped = i64::try_from(engine.page.header.clock.value()).unwrap_or(i64::MAX);
            real.saturating_add(jumped).saturating_add(engine.page.shift())
        }
    }
}

/// What CLOCK_REALTIME reads in the session, ns since 1970.
fn now(engine: &Engine) -> i64 {
    let read = engine.page.reads(libc::CLOCK_REALTIME, || clock_id::real(libc::CLOCK_REALTIME));
    read.map_or(0, |at| at.sec.saturating_mul(SECOND).saturating_add(at.nsec))
}

/// The machine's CLOCK_REALTIME at its last tick, ns since 1970. No change from now on is stored
/// with an earlier time.
pub fn tick() -> i64 {
    clock_id::real(libc::CLOCK_REALTIME_COARSE)
        .map_or(0, |at| at.sec.saturating_mul(SECOND).saturating_add(at.nsec))
}

/// The program has changed the times `which` of a file, those that are stored as `since` or later.
pub fn record(engine: &Engine, file: &Inode, which: &[Which], since: i64) {
    let table = &engine.page.file_times;
    for &which in which {
        let real = file.time(which);
        if real >= since {
            table.record(file.key, which, real, virtual_time(engine, real));
        }
    }
}

/// The same for what a path leads to.
pub fn record_at(dir: c_int, path: *const c_char, flags: c_int, which: &[Which], since: i64) {
    if let Some(engine) = session::own_engine()
        && let Some(file) = Inode::at(dir, path, flags)
    {
        record(&engine, &file, which, since);
    }
}

/// Records what was written to descriptors since the last call.
pub fn look_at_written() {
    let Some(engine) = session::own_engine() else { return };
    written_files::take_written(|fd, sure| {
        // Not if the number is another file's by now.
        let Some(file) = Inode::of(fd).filter(|file| file.regular) else { return };
        if sure || !is_recorded(&engine, &file) {
            record(&engine, &file, WRITTEN, began());
        }
    });
}

/// Was nothing written since the last record?
fn is_recorded(engine: &Engine, file: &Inode) -> bool {
    let entry = engine.page.file_times.find(file.key);
    let recorded = |&which: &Which| entry.and_then(|e| e.recorded(which, file.time(which)));
    WRITTEN.iter().all(|which| recorded(which).is_some())
}

/// The process is about to end. What is left in the buffer of its stream is written to the file by
/// libc as the very last thing, at this instant of a clock that does not move before the process is
/// gone.
pub fn last_words(engine: &Engine, file: &Inode) {
    let table = &engine.page.file_times;
    // What the last words of another process have said of its file stays known.
    for &which in WRITTEN {
        let real = file.time(which);
        if let Some(shown) = table.find(file.key).and_then(|entry| entry.shown(which, real)) {
            table.record(file.key, which, real, shown);
        }
    }
    table.record_last_words(file.key, tick(), now(engine));
}
