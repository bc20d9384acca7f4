//! Loops of tracees that ask again and again for what a sleeping thread will do; see the hooks' `spin.rs` for those of others,
//! which count what they ask for. Here nobody sees that, so the keeper names a thread that burns the processor while others
//! wait for an instant, and the tracer looks over its shoulder for a moment: it stops at all its calls, and is
//! interrupted where it makes none.
//!
//! A call that got nothing, and being met in the vDSO, where clocks are read, is *asking*. A call that got something done
//! ends the look, and so does being met elsewhere too often: it computes. One that asks and does nothing else spins, and takes
//! naps from then on ([`engine::naps`]): it stays stopped, and its slot says *kernel* with a deadline of its own. Between two
//! naps it asks some more, and a nap counts as blocked only while nothing has changed in the session since then.

use super::calls::SYSCALL;
use super::run::{Tracer, deliverable, runs};
use super::stop::{Failed, Stopped};
use super::threads::{Doing, Thread};
use crate::session::real_now;
use engine::naps::{self, FROZEN_STEP, LONGEST_NAP, STEP};
use engine::time::NEVER;
use engine::tracing::{NAPS, TRACED};
use engine::verdicts::zero_is_nothing;
use engine::{Kind, Reason, What};
use libc::{c_long, pid_t, user_regs_struct};
use std::sync::atomic::Ordering::SeqCst;

/// What being met in the vDSO counts for, in calls: it has read the clock hundreds of times since.
const READ: u32 = 5;
/// Asking so many times in a row is spinning.
const PATIENCE: u32 = 60;
/// So many times are asked between two naps.
const LAP: u32 = 5;
/// How many laps of the hooks that stands for, which read less and take no stops.
const LAPS: u64 = 8;
/// What being met elsewhere counts for, in calls that neither get nothing nor anything done, and how many of those are enough in
/// that time: it does something else.
const ELSEWHERE: u32 = 4;
/// See [`ELSEWHERE`].
const ENOUGH: u32 = 128;
/// A thread that makes no calls is interrupted so often, real ns.
const MOMENT: u64 = 50_000;

/// A thread that is looked at.
pub struct Asks {
    /// How often it has asked in this lap.
    asked: u32,
    /// What else it has done, see [`ELSEWHERE`].
    other: u32,
    /// It spins: laps whose naps have moved the clock, as the hooks count them.
    laps: Option<u64>,
    /// What the session's words were when this lap began.
    words: u32,
    /// Real time at which to interrupt it or to end its nap.
    until: u64,
    /// The call that it is in reads a clock.
    reads: bool,
    /// It naps.
    nap: Option<Nap>,
}

impl Asks {
    /// A clock is read by a call that stops. How long it computes between two of those cannot be told, so such a reading is
    /// nothing.
    pub fn reads_clock(&mut self) {
        self.reads = true;
    }
}

/// A nap.
struct Nap {
    stopped: Stopped,
    /// It ends at its own deadline and at nobody else's.
    own: bool,
    /// Jumps before.
    jumps: u64,
}

/// What a call was, for the loop that made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    /// It has got nothing.
    Futile,
    /// It has got something done.
    Done,
    /// Neither.
    Nothing,
}

fn judge(regs: &user_regs_struct) -> Call {
    let answer = regs.rax as i64;
    match regs.orig_rax as c_long {
        // Answered by the tracer: a sleep was over before it began.
        -1 => Call::Futile,
        // To be made again.
        _ if (-516..=-512).contains(&answer) => Call::Nothing,
        _ if answer < 0 => Call::Futile,
        // Who asks for its own processor time computes.
        libc::SYS_clock_gettime if is_of_processor(regs.rdi as libc::clockid_t) => Call::Done,
        libc::SYS_getrusage => Call::Done,
        libc::SYS_sched_yield | libc::SYS_waitid | libc::SYS_clock_gettime | libc::SYS_times => Call::Futile,
        libc::SYS_kill if regs.rsi == 0 => Call::Futile,
        number if answer == 0 && zero_is_nothing(number) => Call::Futile,
        libc::SYS_futex if answer == 0 => Call::Nothing,
        libc::SYS_getpid
        | libc::SYS_gettid
        | libc::SYS_getppid
        | libc::SYS_rt_sigprocmask
        | libc::SYS_stat
        | libc::SYS_lstat
        | libc::SYS_fstat
        | libc::SYS_newfstatat
        | libc::SYS_statx
        | libc::SYS_access
        | libc::SYS_faccessat
        | libc::SYS_faccessat2 => Call::Nothing,
        _ => Call::Done,
    }
}

/// Is it a clock of processor time, of the caller or of others (negative numbers, clock_getcpuclockid(3))?
fn is_of_processor(clock: libc::clockid_t) -> bool {
    clock < 0 || matches!(clock, libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID)
}

impl Tracer {
    /// Whom the keeper suspects, and whom to interrupt or to wake by now. Real time at which to look again, if anybody is
    /// looked at.
    pub(super) fn oversee(&mut self) -> Option<u64> {
        match self.engine.page.header.suspect.swap(0, SeqCst) {
            0 => {}
            index => self.suspect(index as usize - 1),
        }
        let now = real_now();
        for tid in std::mem::take(&mut self.asking) {
            let Some(thread) = self.threads.get_mut(&tid) else { continue };
            let (Some(asks), Some(me)) = (&mut thread.asks, thread.slot) else { continue };
            self.asking.push(tid);
            if asks.nap.is_some() {
                if asks.until <= now || !self.engine.page.slots[me].state.load().waits() {
                    let _ = self.wake(tid, me);
                }
            } else if asks.until <= now
                && let Some(running) = &thread.running
            {
                // Any other stop takes the place of this one.
                asks.until = now + LONGEST_NAP;
                // A wait that is over before it begins, again and again, is seen when it is done.
                if matches!(thread.doing, Doing::Runs) {
                    let _ = running.interrupt();
                }
            }
        }
        let until = |tid: &pid_t| self.threads.get(tid)?.asks.as_ref().map(|asks| asks.until);
        self.asking.iter().filter_map(until).min().filter(|&until| until != NEVER)
    }

    fn suspect(&mut self, index: usize) {
        let tid = self.slot(index).tid.load(SeqCst) as pid_t;
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if thread.slot == Some(index) && thread.asks.is_none() && matches!(thread.doing, Doing::Runs | Doing::Waits(_))
        {
            let asks = Asks { asked: 0, other: 0, laps: None, words: 0, until: 0, reads: false, nap: None };
            thread.asks = Some(Box::new(asks));
            self.asking.push(tid);
        }
    }

    /// It is not looked at any more.
    pub(super) fn stop_looking(&self, thread: &mut Thread) {
        if thread.asks.take().is_some()
            && let Some(me) = thread.slot
        {
            let slot = self.slot(me);
            slot.spin().store(0, SeqCst);
            slot.what.store(0, SeqCst);
        }
    }

    /// The same for thread `tid`.
    pub(super) fn look_away(&mut self, tid: pid_t) {
        if let Some(mut thread) = self.threads.remove(&tid) {
            self.stop_looking(&mut thread);
            self.threads.insert(tid, thread);
        }
    }

    fn let_alone(&mut self, stopped: Stopped) -> Result<(), Failed> {
        self.look_away(stopped.tid());
        self.go(stopped, 0)
    }

    /// A thread has been interrupted: where was it?
    pub(super) fn found(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let tid = stopped.tid();
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let clocks = self.processes.get(&thread.process).and_then(|process| process.space).map(|space| space.clocks);
        let (Some(asks), Doing::Runs, Some(clocks)) = (&mut thread.asks, &thread.doing, clocks) else {
            return self.go(stopped, 0);
        };
        let mut regs = stopped.registers()?;
        if regs.orig_rax as i64 >= 0 {
            // In a call that began before it was looked at.
            asks.other += ELSEWHERE;
            if regs.rax as i64 == -(libc::EINTR as i64) && deliverable(tid) == 0 {
                (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
                stopped.set_registers(&regs)?;
            }
            return self.goes_on(stopped);
        }
        if clocks.start <= regs.rip && regs.rip < clocks.end {
            asks.asked += READ;
        } else {
            asks.other += ELSEWHERE;
        }
        self.goes_on(stopped)
    }

    /// A thread that may be looked at has come to a call, or to the end of one.
    pub(super) fn has_asked(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let Some(asks) = self.threads.get_mut(&stopped.tid()).and_then(|thread| thread.asks.as_mut()) else {
            return self.go(stopped, 0);
        };
        let mut regs = stopped.registers()?;
        let answer = regs.rax as i64;
        if answer == -(libc::ENOSYS as i64) {
            // Before the call, which may block: it is left alone until it is done.
            asks.until = NEVER;
            return self.go(stopped, 0);
        }
        if answer == -(libc::EINTR as i64) && regs.orig_rax as i64 >= 0 && deliverable(stopped.tid()) == 0 {
            // By the tracer alone.
            (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
            stopped.set_registers(&regs)?;
            return self.go(stopped, 0);
        }
        let reads = std::mem::take(&mut asks.reads);
        match judge(&regs) {
            Call::Futile if reads => asks.other += 1,
            Call::Futile => asks.asked += 1,
            Call::Done => {
                if regs.orig_rax as c_long != libc::SYS_futex {
                    self.has_spun(stopped.tid(), 0);
                }
                return self.let_alone(stopped);
            }
            Call::Nothing => asks.other += 1,
        }
        self.goes_on(stopped)
    }

    /// It goes on asking, takes a nap, or is let alone.
    fn goes_on(&mut self, stopped: Stopped) -> Result<(), Failed> {
        let Some(thread) = self.threads.get_mut(&stopped.tid()) else { return Ok(()) };
        let (Some(asks), Some(me)) = (&mut thread.asks, thread.slot) else { return self.go(stopped, 0) };
        if asks.other >= ENOUGH {
            return self.let_alone(stopped);
        }
        let enough = if asks.laps.is_some() { LAP } else { PATIENCE };
        if asks.asked < enough {
            asks.until = real_now() + MOMENT;
            return self.go(stopped, 0);
        }
        if asks.laps.is_some() && asks.words == self.engine.page.words() {
            return self.nap(stopped, me);
        }
        let now = self.engine.now();
        let before = self.processes.get(&thread.process).map_or((0, 0), |process| process.spun);
        let goes_on = now.saturating_sub(before.0) <= naps::step(before.1, 0);
        asks.laps.get_or_insert(if goes_on { before.1 } else { 0 });
        self.next_lap(stopped, me)
    }

    /// It spins, and asks once more from here on.
    fn next_lap(&mut self, stopped: Stopped, me: usize) -> Result<(), Failed> {
        let (slot, page) = (&self.engine.page.slots[me], self.engine.page);
        slot.what.store(What::Spin as u32, SeqCst);
        slot.spin().store(1, SeqCst);
        let words = page.words();
        slot.spin().store(words, SeqCst);
        if let Some(asks) = self.threads.get_mut(&stopped.tid()).and_then(|thread| thread.asks.as_mut()) {
            (asks.asked, asks.other, asks.words) = (0, 0, words);
            asks.until = real_now() + MOMENT;
        }
        self.go(stopped, 0)
    }

    fn nap(&mut self, stopped: Stopped, me: usize) -> Result<(), Failed> {
        let engine = self.engine;
        let Some((_, due)) = engine.next_waiter(me) else { return self.next_lap(stopped, me) };
        if due == NEVER && !engine.frozen() {
            // By the real clock.
            return self.let_alone(stopped);
        }
        let now = engine.now();
        let Some(thread) = self.threads.get_mut(&stopped.tid()) else { return Ok(()) };
        let Some(asks) = &mut thread.asks else { return self.go(stopped, 0) };
        let shortest = if engine.frozen() { FROZEN_STEP } else { STEP };
        let step = naps::step(asks.laps.unwrap_or(0) + LAPS, shortest);
        // Who is due at this very instant is woken first.
        let until = now.saturating_add(step).min(due.max(now));
        let slot = &engine.page.slots[me];
        // The registers have been read, so the thread has let go of the processor, and the count is the last one.
        slot.key.store(runs(thread.process, stopped.tid()), SeqCst);
        let _ = slot.tracer.compare_exchange(TRACED, NAPS, SeqCst, SeqCst);
        asks.until = real_now() + LONGEST_NAP;
        asks.nap = Some(Nap { stopped, own: until < due, jumps: engine.page.header.jumps.load(SeqCst) });
        engine.enter_kernel_stopped(me, until);
        engine.looked_for(me);
        Ok(())
    }

    /// Go moves what spins from thread to thread, and stops it to collect garbage.
    fn has_spun(&mut self, tid: pid_t, laps: u64) {
        let now = self.engine.now();
        let process = self.threads.get(&tid).and_then(|thread| self.processes.get_mut(&thread.process));
        if let Some(process) = process.filter(|process| process.go) {
            process.spun = (now, laps);
        }
    }

    /// The end of a nap.
    fn wake(&mut self, tid: pid_t, me: usize) -> Result<(), Failed> {
        let engine = self.engine;
        let Some(thread) = self.threads.get_mut(&tid) else { return Ok(()) };
        let go = self.processes.get(&thread.process).is_some_and(|process| process.go);
        let Some(asks) = &mut thread.asks else { return Ok(()) };
        let Some(Nap { stopped, own, jumps }) = asks.nap.take() else { return Ok(()) };
        let slot = &engine.page.slots[me];
        // First of all it is not asleep any more: while it was, time must not pass its deadline.
        let _ = slot.tracer.compare_exchange(NAPS, TRACED, SeqCst, SeqCst);
        slot.deadline.store(NEVER, SeqCst);
        let alone = slot.state.resume(Kind::Foreign) == Reason::TimedOut && own;
        if alone {
            engine.count_creep();
            asks.laps = asks.laps.map(|laps| laps + LAPS);
        } else if !go && engine.page.header.jumps.load(SeqCst) != jumps {
            // Something has happened, if only the time of another: it is from there that it asks for nothing. (Of the deadlines
            // in a program in Go some are always its runtime's.)
            asks.laps = Some(0);
        }
        let laps = asks.laps.unwrap_or(0);
        self.has_spun(tid, laps);
        self.next_lap(stopped, me)
    }
}
