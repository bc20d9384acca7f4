//! What the look remembers of the slots' threads, in memory of its own: nothing is allocated.

use crate::thread::Files;
use engine::arch::syscall::syscall6;
use engine::region::sizes::SLOTS;
use engine::region::state::State;
use std::mem::MaybeUninit;

/// A state and a run count, if a thread was found asleep.
pub type Seen = Option<(State, u64)>;

/// What the look remembers of a slot's thread.
#[derive(Default)]
pub struct Note {
    /// Asleep in the first pass of the survey with that number.
    pub seen: Option<(State, u64, u64)>,
    /// The same when all were first found at rest, while that survey waits for a thread that
    /// rechecks periodically.
    pub rest: Seen,
    pub files: Option<Files>,
    /// A process that is the launcher's descendant.
    pub ours: u32,
    /// A process reported to run without the library.
    pub told: u32,
    /// A thread in its last steps sleeps: its state, run count, and since when.
    pub lingering: Option<(State, u64, u64)>,
    /// A busy thread found asleep by the last patient look.
    pub stray: Seen,
    /// Busy by its word, and since when.
    pub busy: Option<(State, u64)>,
    /// The look found it asleep outside the hooks before, and probably will again.
    pub strays: bool,
    /// How its children without a slot were found at rest, by `ProcLook::unseen_children`.
    pub children: Option<u64>,
}

/// The place of a note. All zero where there is no note yet.
struct Place {
    used: u64,
    note: MaybeUninit<Note>,
}

/// A note for each slot.
pub struct Notes(&'static mut [Place]);

impl Notes {
    /// No note is written yet; `None` if there is no memory.
    pub fn new() -> Option<Notes> {
        let (size, prot) =
            (size_of::<Place>() * SLOTS, (libc::PROT_READ | libc::PROT_WRITE) as usize);
        let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE) as usize;
        // SAFETY: a fresh mapping.
        let at = unsafe { syscall6(libc::SYS_mmap, 0, size, prot, flags, usize::MAX, 0) };
        if at < 0 {
            return None;
        }
        // SAFETY: the mapping is that large, nobody else's, and stays; zero bytes are a place
        // without a note.
        Some(Notes(unsafe { std::slice::from_raw_parts_mut(at as *mut Place, SLOTS) }))
    }

    /// Is there a note for slot `index`?
    pub fn has(&self, index: usize) -> bool {
        self.0[index].used != 0
    }

    /// The note of slot `index`, if there is one.
    pub fn peek(&self, index: usize) -> Option<&Note> {
        let place = &self.0[index];
        // SAFETY: written when it was first used.
        (place.used != 0).then(|| unsafe { place.note.assume_init_ref() })
    }

    /// The note of slot `index`.
    pub fn get(&mut self, index: usize) -> &mut Note {
        let place = &mut self.0[index];
        if place.used == 0 {
            place.used = 1;
            place.note.write(Note::default());
        }
        // SAFETY: written when it was first used.
        unsafe { place.note.assume_init_mut() }
    }
}
