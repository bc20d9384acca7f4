//! The signals of timers, as the kernel's own would look: sent by a thread that has all of them
//! blocked.

use engine::arch::syscall::syscall6;
use interpose::shim::await_sleep::{self, await_asleep};
use interpose::shim::numbers;
use interpose::shim::session;
use libc::c_int;
use posix::timer::Expired;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// `siginfo_t` of a timer's signal; see `si_code` SI_TIMER in sigaction(2).
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Info {
    /// Which signal.
    pub number: c_int,
    errno: c_int,
    code: c_int,
    _pad: c_int,
    /// The timer's number.
    pub timer: c_int,
    /// Expirations that it stands for beyond the one.
    pub overrun: c_int,
    value: usize,
    /// See [`Signal::expired`]. The kernel hands on what lies here, and no program looks at it.
    expired: Expired,
    rest: [u64; 10],
}

const _: () = assert!(size_of::<Info>() == 128 && std::mem::offset_of!(Info, expired) == 32);

impl Info {
    /// What it stands for, once, if it is one that [`send`] has sent.
    pub fn take_expired(&mut self) -> Option<Expired> {
        let ours = self.code == libc::SI_TIMER && !self.expired.is_nothing();
        ours.then(|| std::mem::replace(&mut self.expired, Expired::NOTHING))
    }
}

const SI_KERNEL: c_int = 0x80;

/// What a timer sends.
#[derive(Clone, Copy)]
pub struct Signal {
    /// Which signal.
    pub number: c_int,
    /// To a thread, or to the process.
    pub to: Option<u32>,
    /// The timer's number.
    pub timer: c_int,
    /// Expirations that it stands for beyond the one.
    pub overrun: c_int,
    /// `sigev_value`.
    pub value: usize,
    /// What it stands for: whoever takes it says so by that.
    pub expired: Expired,
}

/// Sends it. Counted, like all signals that this session sends (see [`interpose::hooks::signals`]).
pub fn send(signal: &Signal) {
    let &Signal { number, to, timer, overrun, value, expired } = signal;
    let what = Info {
        number,
        errno: 0,
        code: libc::SI_TIMER,
        _pad: 0,
        timer,
        overrun,
        value,
        expired,
        rest: [0; 10],
    };
    counted(to, || queue(to, &what));
}

/// SIGALRM of ITIMER_REAL.
pub fn alarm() {
    let (number, code, expired) = (libc::SIGALRM, SI_KERNEL, Expired::NOTHING);
    let what = Info {
        number,
        errno: 0,
        code,
        _pad: 0,
        timer: 0,
        overrun: 0,
        value: 0,
        expired,
        rest: [0; 10],
    };
    counted(None, || queue(None, &what));
}

fn counted(to: Option<u32>, send: impl FnOnce()) {
    let Some(engine) = session::engine() else { return };
    let sent = &engine.page.header.signals_sent;
    sent.fetch_add(1, SeqCst);
    await_asleep(&engine, |index, slot| {
        let is_one = |tid| numbers::here(index, slot.tid.load(Relaxed)) == tid;
        slot.pid.load(Relaxed) == engine.pid && to.is_none_or(is_one)
    });
    send();
    sent.fetch_add(1, SeqCst);
}

fn queue(to: Option<u32>, what: &Info) {
    let (number, at) = (what.number as usize, what as *const Info as usize);
    // Codes like SI_KERNEL the kernel takes from a thread that names itself alone, and then any
    // thread's number for its process. But it asks the thread that is named whether the signal is
    // ignored or blocked, and this one blocks all.
    let process =
        || if what.code == SI_KERNEL { session::gettid() } else { session::getpid() } as usize;
    // SAFETY: a valid siginfo_t.
    unsafe {
        match to {
            None => syscall6(libc::SYS_rt_sigqueueinfo, process(), number, at, 0, 0, 0),
            Some(tid) => {
                let pid = session::getpid() as usize;
                syscall6(libc::SYS_rt_tgsigqueueinfo, pid, tid as usize, number, at, 0, 0)
            }
        }
    };
}

/// Is a signal of that number pending, for the thread `to` or for the process?
pub fn pending(number: c_int, to: Option<u32>) -> bool {
    let set = match to {
        Some(tid) => session::engine().map_or(0, |engine| await_sleep::pending_for(&engine, tid)),
        None => {
            let mut pending = 0u64;
            // SAFETY: the kernel's 8-byte set.
            unsafe { syscall6(libc::SYS_rt_sigpending, &raw mut pending as usize, 8, 0, 0, 0, 0) };
            pending
        }
    };
    set >> (number - 1) & 1 != 0
}
