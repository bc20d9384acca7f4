//! A visit: a thread that sleeps in a call with a time-out gets the answer of the time-out. It is
//! traced for some microseconds, and no filter is left behind.
//!
//! The launcher's keeper is the visitor. It is an ancestor of the session's programs, which Yama's
//! default asks of a tracer. waitpid(2) would not serve it: a stop of one of the launcher's own
//! children is reported to whichever of its threads asks first. So the state is read from `/proc`.
//!
//! NOTE [The same wait]. The thread may have been woken meanwhile, and sleep in another wait when
//! it is interrupted, perhaps with the same arguments. Then it has given up the processor once more
//! by itself than it should have, which `/proc/…/status` counts; that it was preempted is another
//! count. Not told apart is who was woken, made the same call again and was interrupted before he
//! slept. The keeper looks at the thread right before it interrupts it, when nobody in the session
//! runs who could wake it, and never about the time when the kernel's own time-out ends the wait.

use crate::patience::{INTERRUPTED, duration};
use crate::tracer::calls::{SYSCALL, switches};
use crate::tracer::policy::wait::{Left, Wait};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Failed, Stopped, seize_briefly};
use engine::Engine;
use engine::procfs::{Path, state_letter};
use libc::pid_t;
use look::process::Stat;
use posix::errno::restarts;
use std::time::Instant;

/// A thread that has been interrupted.
pub struct Visit {
    engine: Engine,
    pid: pid_t,
    tid: pid_t,
    wait: Wait,
    /// How often it had given up the processor by itself when it was asleep.
    switched: u64,
    /// What stands where the kernel writes what is left of an interrupted sleep.
    before: Option<(u64, [i64; 2])>,
}

impl Visit {
    /// Interrupts thread `tid` of process `pid`, which sleeps in `wait`. `switched`: how often it
    /// had given up the processor by itself by then.
    pub fn begin(
        engine: Engine,
        pid: pid_t,
        tid: pid_t,
        wait: Wait,
        switched: u64,
    ) -> Result<Visit, Failed> {
        let before = match wait.left {
            Left::Interrupted(at) => Memory(tid).read(at).ok().map(|time| (at, time)),
            _ => None,
        };
        seize_briefly(tid)?.interrupt()?;
        Ok(Visit { engine, pid, tid, wait, switched, before })
    }

    /// Waits for a while until it is over; is it?
    pub fn finish(&mut self) -> bool {
        let until = Instant::now() + duration(INTERRUPTED);
        loop {
            match self.over() {
                false if Instant::now() < until => std::thread::yield_now(),
                over => return over,
            }
        }
    }

    /// Has the thread stopped, and been let go? Or has it ended?
    pub fn over(&mut self) -> bool {
        let mut text = [0u8; 128];
        let stat = Path::thread(self.pid as u32, self.tid as u32, "stat").read(&mut text);
        match stat.ok().and_then(state_letter) {
            Some(b't') => self.let_go() != Err(Failed::Died),
            Some(b'Z') => self.collected(),
            Some(_) => false,
            None => true,
        }
    }

    fn let_go(&self) -> Result<(), Failed> {
        let stopped = Stopped::reported(self.tid);
        let signal = stopped.signal()?;
        if signal.is_none() {
            self.answer(&stopped)?;
        }
        stopped.detach(signal.unwrap_or(0))
    }

    fn answer(&self, stopped: &Stopped) -> Result<(), Failed> {
        let mut regs = stopped.registers()?;
        let answer = regs.rax as i64;
        let failed = answer == -(libc::EINTR as i64);
        if !failed && !restarts(answer) {
            return Ok(());
        }
        if self.wait.goes_on(&regs) && switches(self.tid) == self.switched + 1 {
            regs.rax = self.wait.timed_out as u64;
            self.wait.clear_sets(Memory(self.tid));
            self.wait.write_left(&self.engine, Memory(self.tid), false);
            if let Some((at, time)) = self.before {
                let _ = Memory(self.tid).write(at, &time);
            }
        } else if failed {
            // Only this visit has interrupted it. Other calls start again by themselves.
            (regs.rax, regs.rip) = (regs.orig_rax, regs.rip - SYSCALL);
        }
        stopped.set_registers(&regs)
    }

    /// It was killed. A tracer has to collect a thread, or nobody else can; a child of the
    /// launcher's is for that to collect.
    fn collected(&self) -> bool {
        let own = self.tid == self.pid
            && Stat::of_process(self.pid as u32)
                .is_ok_and(|stat| stat.parent() == std::process::id());
        let flags = libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG;
        // SAFETY: plain numbers, and no status.
        own || unsafe { libc::waitpid(self.tid, std::ptr::null_mut(), flags) } != 0
    }
}
