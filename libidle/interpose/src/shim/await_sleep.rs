//! Before a signal is sent: the threads it may interrupt must really be asleep.
//!
//! A thread that blocks may itself move the clock just before it goes to sleep, and the one whose
//! deadline came then signals it at once: natively there would have been all that time to fall
//! asleep in, here there is a microsecond. A handler that runs before the system call is entered
//! interrupts nothing, and the wait goes on. So a sender waits until those that say they wait are
//! seen asleep. Signals are rare and waits are not, so the price is the sender's.

use crate::patience::{AWAKE, MOMENT, YIELDS};
use crate::shim::numbers::{self, Shown};
use crate::shim::session;
use engine::arch::syscall::syscall6;
use engine::procfs::{self, words};
use engine::region::slot::Slot;
use engine::region::state::State;
use engine::region::wait_kind::TURNS;
use engine::sys::{self, Timespec};
use engine::{Engine, Kind};
use posix::time::NEVER;
use std::cell::OnceCell;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

/// Waits until the threads for which `concerns` says yes are asleep if they say they wait. However
/// busy the machine is, no signal is sent before: a receiver that is not given the processor holds
/// the sender up. One that is stopped does not run, and one that has died has no files.
pub fn await_asleep(engine: &Engine, concerns: impl Fn(usize, &Slot) -> bool) {
    if engine.page.real() {
        // Nobody moves the clock.
        return;
    }
    let (me, shown) = (numbers::my_thread(), OnceCell::new());
    for (index, slot) in engine.page.slots[..engine.page.high()].iter().enumerate() {
        let seen = slot.state.load();
        let waits = match seen.kind() {
            // Who may move the clock by itself; all others are only waited for when the kernel has
            // said that they sleep.
            Kind::Kernel => {
                slot.deadline.load(Relaxed) != NEVER
                    || slot.thread().what.load(Relaxed) & TURNS != 0
            }
            _ => seen.waits(),
        };
        let (pid, tid) = (slot.pid.load(Relaxed), slot.tid.load(Relaxed));
        if !waits || tid == me || !concerns(index, slot) {
            continue;
        }
        let (pid, tid) = match shown.get_or_init(numbers::shown) {
            Shown::Launchers => (pid, tid),
            Shown::Own if pid == engine.pid => (numbers::getpid(), numbers::here(index, tid)),
            // There is no file that would tell.
            Shown::Own | Shown::Others => continue,
        };
        let began = (engine.real_now)();
        let before = burnt(pid, tid);
        let awake = || burnt(pid, tid).saturating_sub(before) >= AWAKE.ns();
        // It may get from the beginning of its wait to the end of it meanwhile, and to sleep only
        // then.
        let same = |now: State| now.waits() && now.seq() == seen.seq();
        while same(slot.state.load()) && runs(pid, tid) && !awake() {
            if (engine.real_now)() - began < YIELDS.ns() {
                // SAFETY: no arguments.
                unsafe { syscall6(libc::SYS_sched_yield, 0, 0, 0, 0, 0, 0) };
            } else {
                // Its priority may be less.
                sys::futex_wait(&AtomicU32::new(0), 0, Some(&Timespec::of(MOMENT)), true);
            }
        }
    }
}

/// Does `/proc/PID/task/TID/stat` say that the thread runs, or may run?
fn runs(pid: u32, tid: u32) -> bool {
    let mut text = [0u8; 64];
    let text = of_thread(pid, tid, b"/stat", &mut text);
    let end = text.iter().rposition(|&b| b == b')');
    end.is_some_and(|end| text.get(end + 2) == Some(&b'R'))
}

/// How long the thread has been on a processor, ns: the first number in
/// `/proc/PID/task/TID/schedstat`.
fn burnt(pid: u32, tid: u32) -> u64 {
    let mut text = [0u8; 64];
    words(of_thread(pid, tid, b"/schedstat", &mut text))
        .next()
        .and_then(procfs::number)
        .unwrap_or(0)
}

/// The signals that are pending for that thread of this process alone: the line `SigPnd` of
/// `/proc/PID/task/TID/status`.
pub fn pending_for(engine: &Engine, tid: u32) -> u64 {
    const LINE: &[u8] = b"\nSigPnd:\t";
    let is_one = |&(index, slot): &(usize, &Slot)| {
        slot.pid.load(Relaxed) == engine.pid && numbers::here(index, slot.tid.load(Relaxed)) == tid
    };
    let mut slots = engine.page.slots[..engine.page.high()].iter().enumerate();
    let (pid, tid) = match numbers::shown() {
        Shown::Launchers if numbers::nested() => {
            (engine.pid, slots.find(is_one).map_or(0, |(_, slot)| slot.tid.load(Relaxed)))
        }
        _ => (session::getpid(), tid),
    };
    let mut text = [0u8; 4096];
    let text = of_thread(pid, tid, b"/status", &mut text);
    let Some(at) = text.windows(LINE.len()).position(|w| w == LINE) else { return 0 };
    let digits = text[at + LINE.len()..].iter().map_while(|&b| (b as char).to_digit(16));
    digits.fold(0, |set, digit| set << 4 | digit as u64)
}

/// What a file of the thread's folder in `/proc` says; nothing if it cannot be read.
fn of_thread<'a>(pid: u32, tid: u32, name: &[u8], text: &'a mut [u8]) -> &'a [u8] {
    file(text, |put| {
        put(b"/proc/");
        number(pid, put);
        put(b"/task/");
        number(tid, put);
        put(name);
    })
}

/// What the file `n` in a folder of `/proc/self` says; nothing if it cannot be read.
pub fn own_file<'a>(folder: &[u8], n: u32, text: &'a mut [u8]) -> &'a [u8] {
    file(text, |put| {
        put(b"/proc/self/");
        put(folder);
        number(n, put);
    })
}

/// The beginning of a file whose path `name` puts together.
fn file(text: &mut [u8], name: impl FnOnce(&mut dyn FnMut(&[u8]))) -> &[u8] {
    let mut path = [0u8; 64];
    let mut at = 0;
    name(&mut |part| {
        path[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    });
    // SAFETY: a path with its NUL (the buffer is zeroed and longer), and a buffer of our own.
    let got = unsafe {
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
        let fd = syscall6(libc::SYS_open, path.as_ptr() as usize, flags, 0, 0, 0, 0);
        if fd < 0 {
            return &[];
        }
        let got =
            syscall6(libc::SYS_read, fd as usize, text.as_mut_ptr() as usize, text.len(), 0, 0, 0);
        syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0);
        got.max(0) as usize
    };
    &text[..got]
}

fn number(n: u32, put: &mut dyn FnMut(&[u8])) {
    if n >= 10 {
        number(n / 10, put);
    }
    put(&[b'0' + (n % 10) as u8]);
}
