//! `LIBIDLE_VERBOSE`: a row on every change of a thread's state, with a letter for each thread of
//! the tree and its name.
//!
//! Lower case counts as idle: `b` blocked, `s` in a semaphore, a condition or a futex, `i` forced
//! idle. Others as busy: `-` running, `S` the same as `s` but already signalled, `B` forced busy.
//! `?` is a wait that should be impossible.
//!
//! The thread that makes the change prints the row, with one write(2).

use crate::patience::ROW_TRIES;
use crate::shim::inherited_fds;
use engine::procfs::Path;
use engine::region::forced::Forced;
use engine::region::slot::Slot;
use engine::statefile::file;
use engine::{Engine, Kind, WaitKind};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Rows go to standard output; or to a file that is kept.
pub const STDOUT: u32 = 1;
/// See [`STDOUT`].
pub const FILE: u32 = 2;

/// Letters and names of a row take no more than this.
const ROW: usize = 2048;
/// Letters of a row; threads beyond are left out.
const LETTERS: usize = 128;

/// The letter of a slot, if a thread uses it; `waits`: it is about to.
fn letter(engine: &Engine, index: usize, waits: bool) -> Option<u8> {
    let slot = &engine.page.slots[index];
    let kind = slot.state.load().kind();
    // A handler's slot speaks for the one that it covers.
    if matches!(kind, Kind::Free | Kind::Timer) || slot.covered.load(SeqCst) != 0 {
        return None;
    }
    let what = slot.thread().what.load(Relaxed);
    let signalled =
        [WaitKind::Sem, WaitKind::Cond, WaitKind::Futex].iter().any(|&kind| slot.is_for(kind));
    let blocked = waits && kind == Kind::Prep || matches!(kind, Kind::Parked | Kind::Kernel);
    Some(match engine.page.forced(index) {
        Some(Forced::Idle) => b'i',
        Some(Forced::Busy) => b'B',
        None if blocked && what == 0 => b'?',
        None if blocked && signalled => b's',
        None if blocked || kind == Kind::Foreign => b'b',
        None if kind == Kind::Busy && signalled => b'S',
        None => b'-',
    })
}

/// A line under way; what does not fit is left out.
struct Row {
    bytes: [u8; ROW],
    len: usize,
}

impl Row {
    fn put(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(ROW - 1 - self.len)];
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }
}

/// Prints a row. `about_to` is the slot of a thread that is about to wait.
#[cold]
pub fn print(engine: &Engine, about_to: Option<usize>) {
    let mut row = Row { bytes: [0; ROW], len: 0 };
    row.put(b"libidle: ");
    row.put(engine::procfs::decimal(engine.page.header.idle.serial.load(Relaxed), &mut [0; 20]));
    row.put(b" ");
    let (mut threads, mut count) = ([(0u32, 0u8); LETTERS], 0);
    // What is read one after the other is of one moment if nothing has changed meanwhile.
    for _ in 0..ROW_TRIES {
        let words = engine.page.words();
        count = 0;
        for index in 0..engine.page.high() {
            if let Some(letter) = letter(engine, index, about_to == Some(index))
                && count < LETTERS
            {
                threads[count] = (index as u32, letter);
                count += 1;
            }
        }
        if engine.page.words() == words {
            break;
        }
    }
    threads[..count].iter().for_each(|(_, letter)| row.put(&[*letter]));
    threads[..count].iter().for_each(|&(index, _)| {
        row.put(b" ");
        name(&engine.page.slots[index as usize], &mut row);
    });
    let end = row.len;
    row.bytes[end] = b'\n';
    let fd = if engine.page.header.verbose.load(Relaxed) == FILE {
        inherited_fds::log()
    } else {
        libc::STDOUT_FILENO
    };
    file::write_line(fd, &row.bytes[..=end]);
}

/// As `ps` shows it.
fn name(slot: &Slot, row: &mut Row) {
    let (pid, tid) = (slot.pid.load(Relaxed), slot.tid.load(Relaxed));
    let mut text = [0u8; 32];
    match Path::thread(pid, if tid == 0 { pid } else { tid }, "comm").read(&mut text) {
        Ok(name) => row.put(name.strip_suffix(b"\n").unwrap_or(name)),
        Err(_) => row.put(b"(new)"),
    }
}
