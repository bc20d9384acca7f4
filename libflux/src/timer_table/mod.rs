//! The timers of this process that end in a signal or a function: `alarm`,
//! `setitimer(ITIMER_REAL)`, `timer_create`.
//!
//! Each of timer_create(2) is also a timer of the kernel, never armed: it gives the number, checks
//! the arguments, and counts against the user's limit. When it expires, how often and whom it tells
//! is decided here, by the virtual clock.
//!
//! As in the kernel a timer has one signal under way at most, and who takes it counts how often the
//! timer has expired since ([`crate::timer_signals`]). An expiration at which it is still
//! under way tells nobody. Only where a signal may have been taken behind the library's back, by a
//! system call in line, the kernel is asked whether it is pending.

mod sending;

use engine::Engine;
use interpose::shim::futex_lock::{FutexLock, Locked};
use interpose::shim::timer_heap::{Due, PLACES};
use libc::{c_int, clockid_t};
use posix::clock::Shift;
use posix::time::{Instant, Span};
use posix::timer::Expired;
use std::cell::UnsafeCell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// Timers of a process. More are refused, as by RLIMIT_SIGPENDING.
const MOST: usize = PLACES;
/// The place of ITIMER_REAL.
pub const ITIMER: usize = 0;
/// Its number: no timer of timer_create has it.
const ITIMER_ID: c_int = -2;
/// The number of a free place.
const FREE: c_int = -1;

/// Which thread of this library serves a timer: the one that sends signals, or the one that starts
/// threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Role {
    /// Signals.
    Signals = 0,
    /// `SIGEV_THREAD`.
    Functions = 1,
    /// None: `SIGEV_NONE`.
    None = 2,
}

/// Whom an expiration tells.
#[derive(Clone, Copy)]
pub enum Notify {
    /// Nobody (`SIGEV_NONE`).
    Nobody,
    /// The process.
    Process(c_int),
    /// A thread of it, by its number.
    Thread(c_int, u32),
    /// A function, in a new thread (`SIGEV_THREAD`); the attributes are those of
    /// [`crate::timer_thread`].
    Function(usize, usize),
}

impl Notify {
    /// Who serves such a timer.
    pub fn role(self) -> Role {
        match self {
            Notify::Nobody => Role::None,
            Notify::Process(_) | Notify::Thread(..) => Role::Signals,
            Notify::Function(..) => Role::Functions,
        }
    }

    /// The signal, and to which thread if it is one's.
    fn signal(self) -> Option<(c_int, Option<u32>)> {
        match self {
            Notify::Process(number) => Some((number, None)),
            Notify::Thread(number, tid) => Some((number, Some(tid))),
            Notify::Nobody | Notify::Function(..) => None,
        }
    }
}

/// A timer, but for its deadline.
#[derive(Clone, Copy)]
pub struct Timer {
    /// What it counts on.
    pub clock: clockid_t,
    /// Whom it tells.
    pub notify: Notify,
    /// `sigev_value`.
    pub value: usize,
    /// Between expirations; zero for one.
    pub interval: Span,
    /// Set to an instant of a clock that can be set.
    settable: bool,
    /// The how many-eth signal of any timer its last one was, until that is known to have been
    /// taken; 0 for none under way.
    sent: u64,
    /// That one has been seen pending.
    waited: bool,
    /// The expiration that it stands for. Those until it is taken are its overruns.
    first: Instant,
    /// Overruns of the signal that was taken last.
    overrun: c_int,
}

const EMPTY: Timer = Timer {
    clock: 0,
    notify: Notify::Nobody,
    value: 0,
    interval: Span::ZERO,
    settable: false,
    sent: 0,
    waited: false,
    first: Instant::ZERO,
    overrun: 0,
};

/// All of a process, place by place.
pub struct Table {
    ids: [c_int; MOST],
    /// Where a timer is likely to be, by its number modulo [`MOST`].
    hints: [u16; MOST],
    /// When each expires next, by role.
    due: [Due; 3],
    timers: [Timer; MOST],
    /// Places ever used.
    used: usize,
    /// No place below is free.
    full: usize,
    /// What `clock_settime` had done when the deadlines were last right.
    shift: Shift,
    /// Signals sent so far.
    turns: u64,
    /// How many that were when no signal of a number was pending: none of these is.
    taken: [u64; 65],
}

struct Shared(UnsafeCell<Table>, FutexLock);

// SAFETY: the table is only touched by the holder of the lock.
unsafe impl Sync for Shared {}

/// Zeroed but for what `used` makes valid: pages that are not needed take no memory.
static TABLE: Shared = Shared(
    UnsafeCell::new(Table {
        ids: [0; MOST],
        hints: [0; MOST],
        due: [const { Due::new() }; 3],
        timers: [EMPTY; MOST],
        used: 0,
        full: 0,
        shift: Shift(0),
        turns: 0,
        taken: [0; 65],
    }),
    FutexLock::new(),
);

/// Places used so far, for those who only want to know whether there are any.
#[unsafe(link_section = ".data.interpose")]
static USED: AtomicU32 = AtomicU32::new(0);

/// Has this process ever had a timer?
#[inline]
pub fn any() -> bool {
    USED.load(Relaxed) != 0
}

/// The table, locked, its deadlines right for a clock that was set. All signals are blocked
/// meanwhile.
pub fn table(engine: &Engine) -> (Locked<'static>, &'static mut Table) {
    let locked = TABLE.1.lock();
    // SAFETY: under the lock, which the caller drops last.
    let table = unsafe { &mut *TABLE.0.get() };
    table.follow(engine);
    (locked, table)
}

/// In a forked child: timers are not inherited, and the lock may have been another thread's.
pub fn reset() {
    if any() {
        TABLE.1.reset();
        // SAFETY: the child has one thread.
        let table = unsafe { &mut *TABLE.0.get() };
        table.due.iter_mut().for_each(Due::clear);
        (table.used, table.full) = (0, 0);
        USED.store(0, SeqCst);
    }
}

impl Table {
    fn follow(&mut self, engine: &Engine) {
        let shift = Shift(engine.page.shift());
        let ahead = shift.since(std::mem::replace(&mut self.shift, shift));
        if ahead == Shift::default() {
            return;
        }
        for (at, timer) in
            self.timers[..self.used].iter_mut().enumerate().filter(|(_, timer)| timer.settable)
        {
            let due = &mut self.due[timer.notify.role() as usize];
            timer.first = ahead.moves(timer.first);
            due.set(at, ahead.moves(due.get(at)));
        }
    }

    /// A free place for a timer of that number. The first is ITIMER_REAL's.
    pub fn add(&mut self, id: c_int, timer: Timer) -> Option<usize> {
        self.itimer();
        let free = self.ids[self.full..self.used].iter().position(|&id| id == FREE);
        let at = free.map_or(self.used, |beyond| self.full + beyond);
        self.full = at;
        (at < MOST).then(|| {
            self.occupy(at, id, timer);
            self.hints[id as usize % MOST] = at as u16;
            at
        })
    }

    fn occupy(&mut self, at: usize, id: c_int, timer: Timer) {
        self.ids[at] = id;
        self.timers[at] = timer;
        self.due.iter_mut().for_each(|due| due.set(at, Instant::NEVER));
        self.used = self.used.max(at + 1);
        USED.store(self.used as u32, SeqCst);
    }

    /// The place of ITIMER_REAL.
    pub fn itimer(&mut self) -> usize {
        if self.used == 0 {
            let notify = Notify::Process(libc::SIGALRM);
            self.occupy(ITIMER, ITIMER_ID, Timer { clock: libc::CLOCK_MONOTONIC, notify, ..EMPTY });
        }
        ITIMER
    }

    /// The place of timer `id`.
    pub fn find(&self, id: c_int) -> Option<usize> {
        if id < 0 {
            return None;
        }
        let (ids, hint) = (&self.ids[..self.used], self.hints[id as usize % MOST] as usize);
        if ids.get(hint) == Some(&id) {
            Some(hint)
        } else {
            ids.iter().position(|&other| other == id)
        }
    }

    /// The timer itself.
    pub fn timer(&self, at: usize) -> &Timer {
        &self.timers[at]
    }

    /// Gives the place back.
    pub fn remove(&mut self, at: usize) {
        self.occupy(at, FREE, EMPTY);
        self.full = self.full.min(at);
    }

    /// Sets the timer, or stops it.
    pub fn set(&mut self, at: usize, to: Expired, settable: bool) {
        let timer = &mut self.timers[at];
        // If a signal of the former setting is still under way, it stands for this one, too.
        (timer.interval, timer.settable, timer.first, timer.overrun) =
            (to.interval, settable, to.first, 0);
        self.due[timer.notify.role() as usize].set(at, to.first);
    }

    /// What is left until it expires next, as the program is told.
    pub fn left(&self, at: usize, now: Instant) -> Span {
        let timer = &self.timers[at];
        let first = self.due[timer.notify.role() as usize].get(at);
        let silent = matches!(timer.notify, Notify::Nobody);
        Expired { first, interval: timer.interval }.left(now, silent)
    }

    /// The earliest deadline that somebody is to be told of.
    pub fn earliest(&self, role: Role) -> Instant {
        self.due[role as usize].first().map_or(Instant::NEVER, |(due, _)| due)
    }

    /// Takes the next of the timers that are due at `now` on to its next interval; what is to be
    /// told, and by which timer.
    pub fn expire(&mut self, role: Role, now: Instant) -> Option<usize> {
        let (due, at) = self.due[role as usize].first().filter(|&(due, _)| due <= now)?;
        let expired = Expired { first: due, interval: self.timers[at].interval };
        self.due[role as usize].set(at, expired.next(now));
        self.tell(at, due, expired.overrun(now));
        Some(at)
    }
}

impl Timer {
    /// What its last signal stands for.
    fn expired(&self) -> Expired {
        Expired { first: self.first, interval: self.interval }
    }

    /// A new one, stopped.
    pub fn new(clock: clockid_t, notify: Notify, value: usize) -> Timer {
        Timer { clock, notify, value, ..EMPTY }
    }
}
