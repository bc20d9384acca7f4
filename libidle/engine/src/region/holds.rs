//! Why a decider may have to ask further although all threads are blocked: the bits of
//! [`crate::region::layout::Header::hold`], and the TCP sockets that have been written to.
//!
//! While the word is zero nobody asks. A program sets a bit before it does what the bit stands for,
//! and is busy then. Only the keeper takes bits of the kernel's work back, after a survey in which
//! nobody has run: so no program was between the bit and the act.

use crate::region::layout::Page;
use crate::region::sizes::{NOTES, PER_WORD};
use crate::sync::{Relaxed, SeqCst};

/// The launcher still has commands to start: nobody jumps.
pub const COMMANDS: u32 = 1;
/// A pseudo-terminal was made. Bytes written to one end reach the other by a worker of the kernel.
pub const TERMINALS: u32 = 2;
/// There are notes of TCP sockets.
pub const SOCKETS: u32 = 4;
/// TCP sockets were written to of which there is no note: all have to be asked.
pub const ALL_SOCKETS: u32 = 8;
/// There is a program that writes to TCP sockets behind all hooks. Never taken back.
pub const UNSEEN_SOCKETS: u32 = 16;
/// There are named holds ([`crate::region::named_holds`]). Taken back under the clock's lock.
pub const NAMED: u32 = 32;
/// A thread waits for rest ([`crate::schedule::at_rest`]). Taken back under the clock's lock.
pub const AT_REST: u32 = 64;
/// A thread waits before it tries again to bind a port that it did not get
/// ([`crate::region::wait_kind::REFUSED`]).
pub const PORTS: u32 = 128;

/// A note's bit: the socket is about to be connected. No descriptor is as large.
const CONNECTS: u64 = 1 << 31;
/// Places that a note may be in, from its own on.
const PROBES: usize = 8;

impl Page {
    /// The launcher has, or has not, more commands to start.
    pub fn hold_commands(&self, more: bool) {
        if more {
            self.hold(COMMANDS);
        } else {
            self.header.hold.fetch_and(!COMMANDS, SeqCst);
        }
    }

    /// Sets bits of the word.
    pub fn hold(&self, bits: u32) {
        self.header.hold.fetch_or(bits, SeqCst);
    }

    /// A program is about to make a pseudo-terminal.
    pub fn makes_terminal(&self) {
        self.header.terminals.fetch_add(1, SeqCst);
        self.hold(TERMINALS);
    }

    /// No pseudo-terminal is left of those that were made up to number `made`. Keeper only.
    pub fn terminals_gone(&self, made: u32) {
        self.header.hold.fetch_and(!TERMINALS, SeqCst);
        if self.header.terminals.load(SeqCst) != made {
            self.hold(TERMINALS);
        }
    }

    /// The thread of slot `index` is about to write to TCP socket `fd`, or to connect it.
    #[inline]
    pub fn note_socket(&self, index: usize, fd: i32, connects: bool) {
        let kind = if connects { CONNECTS } else { 0 };
        let note = ((index as u64 + 1) << 32) | kind | fd as u32 as u64;
        if self.notes[NoteAt::of(note).0].load(Relaxed) != note {
            self.note_socket_at(note);
        }
    }

    #[cold]
    fn note_socket_at(&self, note: u64) {
        let first = NoteAt::of(note).0;
        for probe in 0..PROBES {
            let place = &self.notes[(first + probe) % NOTES];
            match place.compare_exchange(0, note, SeqCst, SeqCst) {
                Ok(_) => return self.hold(SOCKETS),
                Err(there) if there == note => return,
                Err(_) => {}
            }
        }
        self.hold(ALL_SOCKETS);
    }

    /// The note at `place`: a slot, its descriptor, and whether it connects. All that is only what
    /// a program says.
    pub fn socket_noted(&self, place: usize) -> Option<(usize, i32, bool)> {
        let note = self.notes[place].load(SeqCst);
        let index = ((note >> 32) as usize).checked_sub(1)?;
        Some((index, (note & !CONNECTS) as u32 as i32, note & CONNECTS != 0))
    }

    /// Takes the notes of these places back. Keeper only.
    pub fn forget_sockets(&self, places: impl Iterator<Item = usize>) {
        places.for_each(|place| self.notes[place].store(0, SeqCst));
        self.header.hold.fetch_and(!SOCKETS, SeqCst);
        if self.notes.iter().any(|note| note.load(SeqCst) != 0) {
            self.hold(SOCKETS);
        }
    }

    /// No thread waits for a port any more. Keeper only.
    pub fn ports_asked(&self) {
        self.header.hold.fetch_and(!PORTS, SeqCst);
    }

    /// All TCP sockets have been asked. Keeper only.
    pub fn sockets_asked(&self) {
        self.header.hold.fetch_and(!ALL_SOCKETS, SeqCst);
    }
}

/// Where a note stands first.
struct NoteAt(usize);

impl NoteAt {
    #[inline]
    fn of(note: u64) -> NoteAt {
        let (slot, fd) = (note >> 32, note & 0xffff_ffff);
        NoteAt((slot as usize).wrapping_mul(PER_WORD - 1).wrapping_add(fd as usize) % NOTES)
    }
}
