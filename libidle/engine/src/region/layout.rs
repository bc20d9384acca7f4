//! The shared region: everything that the processes of a session and its keeper share, in one file.
//!
//! The launcher creates it zeroed (a memfd), and [`Page::init`] fills it. Every process maps it at
//! whatever address it gets, so the region holds no pointer that another process would follow. The
//! comment on a field names who writes it. The layout is append-only within one [`VERSION`].
//! Launcher and library must agree on it.

use crate::region::file_times::FileTimes;
use crate::region::forced::Sets;
use crate::region::idle_word::IdleWords;
use crate::region::lock::ClockCell;
use crate::region::named_holds::{Hold, HoldTimes};
use crate::region::sizes::{ARENAS, CLOCKS, FILES, HEAP, HOLDS, NOTES, SLOTS, SUMMARY, WORDS};
use crate::region::slot::Slot;
use crate::sync::{AtomicI64, AtomicU32, AtomicU64};
use posix::time::Spec;

/// Marks a region of ours ("fluxpage").
pub const MAGIC: u64 = 0x6567_6170_7875_6c66;
/// The layout below.
pub const VERSION: u32 = 9;

/// How virtual time relates to real time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum ClockMode {
    /// virtual = real + what was jumped.
    Elapsed = 0,
    /// Time moves by jumps alone.
    Frozen = 1,
    /// virtual = real, for ever: nobody jumps, and waits end by the kernel's time-outs alone.
    Real = 2,
}

/// The region's head. Fields that different threads write at different times lie in different cache
/// lines.
#[repr(C, align(64))]
pub struct Header {
    /// [`MAGIC`]; written once, last, by the launcher.
    pub magic: AtomicU64,
    /// [`VERSION`]; launcher, once.
    pub version: AtomicU32,
    /// A [`ClockMode`]; launcher, once.
    pub mode: AtomicU32,
    /// Verbosity of the session (`-v` counts); launcher, once.
    pub verbose: AtomicU32,
    /// Process id of the launcher; launcher, once.
    pub launcher: AtomicU32,
    /// Signal that may end waits that nothing else can end; launcher, once.
    pub signal: AtomicU32,
    /// Clock ids that this machine has, a bit each; launcher, once.
    pub clocks: AtomicU32,
    /// Thread id of the keeper, on that thread's robust list: see [`Page::abandoned`]. Keeper, then
    /// the kernel. 0 where nobody watches over the keeper.
    pub keeper_lives: AtomicU32,
    /// Frozen mode: how long after its deadline a wait ends, virtual ns; launcher, once.
    pub slack: AtomicU32,
    /// The session's random number, which its name has too
    /// ([`posix::session_name::SessionName`]); launcher, once.
    pub id: AtomicU64,
    /// Real `CLOCK_MONOTONIC` at the start, ns; launcher, once.
    pub started: AtomicU64,
    /// Frozen mode: what to add to virtual monotonic time for each clock id (seconds); launcher,
    /// once.
    pub base_sec: [AtomicI64; CLOCKS],
    /// The nanoseconds of [`Header::base_sec`].
    pub base_nsec: [AtomicI64; CLOCKS],
    /// By how much the session's programs have set `CLOCK_REALTIME` ahead, ns (`clock_settime(2)`);
    /// any process.
    pub realtime_shift: AtomicI64,

    /// The clock and the lock under which it moves.
    pub clock: ClockCell,

    /// A thread that wanted the lock and did not get it sets this. The holder decides again after
    /// it has released the lock.
    pub rerun: AtomicU32,
    /// Arena that the deadline heap lives in; under the lock. It changes when somebody takes the
    /// lock over.
    pub arena: AtomicU32,
    /// Length of the heap in each arena; under the lock.
    pub heap_len: [AtomicU32; ARENAS],
    /// The heap must be rebuilt from the slots before its next use. Set when somebody takes the
    /// lock over.
    pub heap_lost: AtomicU32,
    /// Jumps made; under the lock.
    pub jumps: AtomicU64,
    /// Virtual nanoseconds jumped; under the lock.
    pub jumped: AtomicU64,
    /// Times the clock was moved on for a thread that spins; anybody.
    pub creeps: AtomicU64,
    /// Frozen mode: those of [`Header::jumps`] that were made for a back-off alone; under the lock.
    pub back_offs: AtomicU64,
    _pad1: [AtomicU32; 2],

    /// The mail: slots whose deadline the heap has not seen yet. Index + 1 of the first, linked by
    /// [`Slot::mail_next`].
    pub mail: AtomicU32,
    _pad2: [AtomicU32; 15],

    /// The keeper's word, a futex: see [`crate::keeper::rounds`].
    pub keeper: AtomicU32,
    /// The launcher wants to know when the session has come to rest, even with no deadline pending.
    pub want_rest: AtomicU32,
    /// While not zero a decider has to ask further: the bits of [`crate::region::holds`].
    pub hold: AtomicU32,
    /// Timer descriptors ever made; any process. Numbers them.
    pub timers: AtomicU32,
    /// Real time at which the keeper wakes by itself, ns; keeper.
    pub keeper_wakes: AtomicU64,
    /// Counts signals that the session's threads send; the sender, before and after it sends.
    pub signals_sent: AtomicU64,
    /// The value of [`Header::signals_sent`] up to which the keeper has looked at every thread
    /// since; keeper.
    pub signals_seen: AtomicU64,
    /// The tracer's word, a futex: counts the events that the tracer has to look at. Anybody.
    pub tracer: AtomicU32,
    /// Requests in the slots that the tracer has not seen. Threads count up, the tracer sets it to
    /// 0.
    pub tracer_asked: AtomicU32,
    /// A [`crate::region::tracer_word::Trace`]; launcher.
    pub trace: AtomicU32,
    /// Timer descriptors that were due and out of the keeper's reach; keeper.
    pub timers_lost: AtomicU32,
    /// Deadlines that the keeper alone knows of; keeper.
    pub unhooked: AtomicU32,
    /// The spin suspect: index + 1 of a traced thread that burns the processor and that the tracer
    /// is to look at. The keeper sets it, the tracer sets it to 0.
    pub suspect: AtomicU32,

    /// Head of the list of freed slots: index + 1 in the low half, a counter against ABA in the
    /// high half.
    pub free: AtomicU64,
    /// Slots ever used: the scans stop here.
    pub high: AtomicU32,
    /// Counts the threads and processes that found no free slot.
    pub slots_missed: AtomicU32,
    /// Process id of a program that could not trace another one, because the session's tracer does;
    /// that program.
    pub tracing_refused: AtomicU32,
    /// Pseudo-terminals ever made; any process, before it makes one.
    pub terminals: AtomicU32,
    /// Real time for which nobody jumped because of the kernel's work, ns; keeper.
    pub kernel_worked: AtomicU64,
    _pad4: [AtomicU32; 8],

    /// What the region knows of the state file.
    pub idle: IdleWords,
}

/// An entry of the deadline heap. The lock's holder makes plain loads and stores. The fields are
/// atomics because a stopped holder that lost the lock may still write, to the arena that is not in
/// use any more.
#[repr(C)]
pub struct Entry {
    /// Absolute virtual ns.
    pub deadline: AtomicU64,
    /// Virtual ns at which the wait began: the first tie-break.
    pub parked: AtomicU64,
    /// The thread's birth key: the second tie-break, the same in every run.
    pub birth: AtomicU64,
    /// Slot index.
    pub slot: AtomicU64,
}

/// The whole region.
#[repr(C)]
pub struct Page {
    /// Clock, lock, keeper, counters.
    pub header: Header,
    /// The busy set: slots that may be busy, a superset. Wakers set bits; only the lock's holder
    /// clears them.
    pub busy: [AtomicU64; WORDS],
    /// The words of [`Page::busy`] that may be other than zero: a superset, kept like the busy set.
    pub busy_summary: [AtomicU64; SUMMARY],
    /// Program files: see [`crate::programs::elf_cache`].
    pub files: [AtomicU64; FILES],
    /// One slot a thread.
    pub slots: [Slot; SLOTS],
    /// Deadlines, as binary heaps.
    pub heap: [[Entry; HEAP]; ARENAS],
    /// What threads say that they count as.
    pub forced: Sets,
    /// TCP sockets that have been written to: see [`crate::region::holds`].
    pub notes: [AtomicU64; NOTES],
    /// Who holds the clock, and why.
    pub named: [Hold; HOLDS],
    /// How long it was held.
    pub hold_times: HoldTimes,
    /// When files were changed, by the virtual clock.
    pub file_times: FileTimes,
}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Page>() <= 32 << 20);
    assert!(size_of::<Slot>() == 128);
    assert!(size_of::<Entry>() == 32);
    assert!(std::mem::offset_of!(Header, clock) % 64 == 0);
    assert!(std::mem::offset_of!(Header, mail) % 64 == 0);
    assert!(std::mem::offset_of!(Header, keeper) % 64 == 0);
    assert!(std::mem::offset_of!(Header, free) % 64 == 0);
    assert!(size_of::<IdleWords>() == 64);
};

impl Page {
    /// Fills a zeroed page. In frozen mode a clock reads virtual monotonic time plus its entry in
    /// `bases`, by clock id.
    pub fn init(
        &self,
        mode: ClockMode,
        started: u64,
        bases: &[Spec; CLOCKS],
        launcher: u32,
        verbose: u32,
    ) {
        use crate::sync::{Relaxed, Release};
        let h = &self.header;
        h.version.store(VERSION, Relaxed);
        h.mode.store(mode as u32, Relaxed);
        h.verbose.store(verbose, Relaxed);
        h.launcher.store(launcher, Relaxed);
        h.started.store(started, Relaxed);
        for (i, base) in bases.iter().enumerate() {
            h.base_sec[i].store(base.sec, Relaxed);
            h.base_nsec[i].store(base.nsec, Relaxed);
        }
        h.clock.set(if mode == ClockMode::Frozen { started } else { 0 });
        h.magic.store(MAGIC, Release);
    }

    /// Is this a region that this build understands?
    pub fn valid(&self) -> bool {
        use crate::sync::{Acquire, Relaxed};
        self.header.magic.load(Acquire) == MAGIC && self.header.version.load(Relaxed) == VERSION
    }

    /// How virtual time relates to real time here.
    #[inline]
    pub fn mode(&self) -> ClockMode {
        match self.header.mode.load(crate::sync::Relaxed) {
            0 => ClockMode::Elapsed,
            1 => ClockMode::Frozen,
            _ => ClockMode::Real,
        }
    }

    /// Does nobody move the clock here?
    #[inline]
    pub fn real(&self) -> bool {
        self.mode() == ClockMode::Real
    }

    /// A page on the heap, for tests and models.
    #[cfg(any(loom, test))]
    pub fn boxed() -> Box<Page> {
        #[cfg(not(loom))]
        {
            // SAFETY: every field is an atomic integer, for which zero is a valid value.
            unsafe { Box::<Page>::new_zeroed().assume_init() }
        }
        #[cfg(loom)]
        {
            use std::array::from_fn;
            let u64s = || AtomicU64::new(0);
            let u32s = || AtomicU32::new(0);
            Box::new(Page {
                header: Header {
                    magic: u64s(),
                    version: u32s(),
                    mode: u32s(),
                    verbose: u32s(),
                    launcher: u32s(),
                    signal: u32s(),
                    clocks: u32s(),
                    keeper_lives: u32s(),
                    slack: u32s(),
                    id: u64s(),
                    started: u64s(),
                    base_sec: from_fn(|_| AtomicI64::new(0)),
                    base_nsec: from_fn(|_| AtomicI64::new(0)),
                    realtime_shift: AtomicI64::new(0),
                    clock: ClockCell::new(),
                    rerun: u32s(),
                    arena: u32s(),
                    heap_len: from_fn(|_| u32s()),
                    heap_lost: u32s(),
                    jumps: u64s(),
                    jumped: u64s(),
                    creeps: u64s(),
                    back_offs: u64s(),
                    _pad1: from_fn(|_| u32s()),
                    mail: u32s(),
                    _pad2: from_fn(|_| u32s()),
                    keeper: u32s(),
                    want_rest: u32s(),
                    hold: u32s(),
                    timers: u32s(),
                    keeper_wakes: u64s(),
                    signals_sent: u64s(),
                    signals_seen: u64s(),
                    tracer: u32s(),
                    tracer_asked: u32s(),
                    trace: u32s(),
                    timers_lost: u32s(),
                    unhooked: u32s(),
                    suspect: u32s(),
                    free: u64s(),
                    high: u32s(),
                    slots_missed: u32s(),
                    tracing_refused: u32s(),
                    terminals: u32s(),
                    kernel_worked: u64s(),
                    _pad4: from_fn(|_| u32s()),
                    idle: IdleWords::new(),
                },
                busy: from_fn(|_| u64s()),
                busy_summary: from_fn(|_| u64s()),
                files: from_fn(|_| u64s()),
                slots: from_fn(|_| Slot::new()),
                heap: from_fn(|_| {
                    from_fn(|_| Entry {
                        deadline: u64s(),
                        parked: u64s(),
                        birth: u64s(),
                        slot: u64s(),
                    })
                }),
                forced: Sets::new(),
                notes: from_fn(|_| u64s()),
                named: from_fn(|_| Hold::new()),
                hold_times: HoldTimes::new(),
                file_times: FileTimes::new(),
            })
        }
    }
}
