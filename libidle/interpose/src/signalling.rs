//! The signals of timers, as the kernel's own would look: sent by a thread that has all of them blocked.

use crate::session;
use crate::settled::{await_asleep, pending_for};
use engine::sys::syscall6;
use libc::c_int;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// `siginfo_t` of a timer's signal; see `si_code` SI_TIMER in sigaction(2).
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Info {
    number: c_int,
    errno: c_int,
    code: c_int,
    _pad: c_int,
    timer: c_int,
    overrun: c_int,
    value: usize,
    rest: [u64; 12],
}

const _: () = assert!(size_of::<Info>() == 128);

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
}

fn info(number: c_int, code: c_int, timer: c_int, overrun: c_int, value: usize) -> Info {
    Info { number, errno: 0, code, _pad: 0, timer, overrun, value, rest: [0; 12] }
}

/// Sends it. Counted, like all signals that this session sends (see [`crate::hooks::signals`]).
pub fn send(signal: &Signal) {
    let what = info(signal.number, libc::SI_TIMER, signal.timer, signal.overrun, signal.value);
    counted(signal.to, || queue(signal.to, &what));
}

/// SIGALRM of ITIMER_REAL.
pub fn alarm() {
    counted(None, || queue(None, &info(libc::SIGALRM, SI_KERNEL, 0, 0, 0)));
}

fn counted(to: Option<u32>, send: impl FnOnce()) {
    let Some(engine) = session::engine() else { return };
    let sent = &engine.page.header.signals_sent;
    sent.fetch_add(1, SeqCst);
    await_asleep(&engine, |slot| {
        slot.pid.load(Relaxed) == engine.pid && to.is_none_or(|tid| slot.tid.load(Relaxed) == tid)
    });
    send();
    sent.fetch_add(1, SeqCst);
}

fn queue(to: Option<u32>, what: &Info) {
    let (number, at) = (what.number as usize, what as *const Info as usize);
    // SAFETY: a valid siginfo_t. The kernel takes any thread's number for its process, and codes like SI_KERNEL from a
    // thread that names itself.
    unsafe {
        match to {
            None => syscall6(libc::SYS_rt_sigqueueinfo, session::gettid() as usize, number, at, 0, 0, 0),
            Some(tid) => {
                let pid = session::getpid() as usize;
                syscall6(libc::SYS_rt_tgsigqueueinfo, pid, tid as usize, number, at, 0, 0)
            }
        }
    };
}

/// How many signals were taken back so far.
static TAKEN_BACK: AtomicU32 = AtomicU32::new(0);

/// A number that changes when a signal is taken back: a thread that the kernel had woken for it finds none, and the call
/// fails with EINTR though no handler has run.
pub fn taken_back() -> u32 {
    TAKEN_BACK.load(SeqCst)
}

/// What has become of a timer's last signal.
pub enum Last {
    /// It was delivered.
    Delivered,
    /// It was pending and was taken back, with its overruns.
    Taken(c_int),
    /// It is pending for one thread, where nobody else can take it.
    Stays,
}

/// Takes back the timer's last signal if it is still pending. Others of the same number keep their order.
pub fn take_back(signal: &Signal) -> Last {
    if let Some(tid) = signal.to {
        return if pending_for(tid, signal.number) { Last::Stays } else { Last::Delivered };
    }
    let bit = 1u64 << (signal.number - 1);
    let mut pending = 0u64;
    // SAFETY: the kernel's 8-byte set.
    unsafe { syscall6(libc::SYS_rt_sigpending, &raw mut pending as usize, 8, 0, 0, 0, 0) };
    if pending & bit == 0 {
        return Last::Delivered;
    }
    /// More of one number are left alone.
    const MANY: usize = 64;
    let mut taken = [info(0, 0, 0, 0, 0); MANY];
    let (mut count, mut mine) = (0, Last::Delivered);
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    while count < MANY {
        let (set, at, time) = (&raw const bit as usize, &raw mut taken[count] as usize, &raw const now as usize);
        TAKEN_BACK.fetch_add(1, SeqCst);
        // SAFETY: a set, a siginfo_t and a timespec of our own.
        if unsafe { syscall6(libc::SYS_rt_sigtimedwait, set, at, time, 8, 0, 0) } < 0 {
            break;
        }
        let got = &taken[count];
        if got.code == libc::SI_TIMER && got.timer == signal.timer {
            mine = Last::Taken(got.overrun);
        } else {
            count += 1;
        }
    }
    for other in &taken[..count] {
        queue(None, other);
    }
    mine
}
