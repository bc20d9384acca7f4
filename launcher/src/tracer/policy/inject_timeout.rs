//! A thread that sleeps in a call with a time-out gets the answer of the time-out. It is
//! traced for some microseconds, and no filter is left behind.
//!
//! The launcher's keeper does it. It is an ancestor of the session's programs, which Yama's
//! default asks of a tracer. The kernel reports a stop of one of the launcher's own children to
//! whichever of its threads asks first: to the keeper, or to the main thread, which hands it over
//! ([`hand_over`](crate::tracer::hand_over)).
//!
//! NOTE [The same wait]. The thread may have been woken meanwhile, and sleep in another wait when
//! it is interrupted, perhaps with the same arguments. Then it has given up the processor once more
//! by itself than it should have, which `/proc/…/status` counts; that it was preempted is another
//! count. Not told apart is who was woken, made the same call again and was interrupted before he
//! slept. The keeper looks at the thread right before it interrupts it, when nobody in the session
//! runs who could wake it, and never about the time when the kernel's own time-out ends the wait.

use super::wait::Wait;
use crate::patience::{INTERRUPTED, duration};
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::seize_briefly;
use crate::tracer::ptrace::thread_status::voluntary_switches;
use crate::tracer::ptrace::wait::{Event, Found, Running, Stopped, collect, look_for_stop};
use engine::Engine;
use libc::pid_t;
use look::process::Stat;
use posix::errno::restarts;
use posix::wait::Left;
use std::time::Instant;

/// A thread that has been interrupted.
pub struct InjectedTimeout {
    engine: Engine,
    pid: pid_t,
    running: Running,
    wait: Wait,
    /// How often it had given up the processor by itself when it was asleep.
    switched: u64,
    /// What stands where the kernel writes what is left of an interrupted sleep.
    before: Option<(u64, [i64; 2])>,
}

impl InjectedTimeout {
    /// Interrupts thread `tid` of process `pid`, which sleeps in `wait`. `switched`: how often it
    /// had given up the processor by itself by then.
    pub fn begin(
        engine: Engine,
        pid: pid_t,
        tid: pid_t,
        wait: Wait,
        switched: u64,
    ) -> Result<InjectedTimeout, Failed> {
        let before = match wait.means.left {
            Left::Interrupted(at) => Memory(tid).read(at).ok().map(|time| (at, time)),
            _ => None,
        };
        let running = seize_briefly(tid)?;
        running.interrupt()?;
        Ok(InjectedTimeout { engine, pid, running, wait, switched, before })
    }

    /// Waits for a while until it is over; is it?
    pub fn finish(&self) -> bool {
        let until = Instant::now() + duration(INTERRUPTED);
        loop {
            match self.over() {
                false if Instant::now() < until => std::thread::yield_now(),
                over => return over,
            }
        }
    }

    /// Has the thread stopped, and been let go? Or has it ended?
    pub fn over(&self) -> bool {
        match look_for_stop(&self.running) {
            Found::Nothing => false,
            // If it has been killed meanwhile, its end is found the next time.
            Found::Stopped(stopped, event) => {
                !self.let_go(stopped, event).is_err_and(|failed| failed.died())
            }
            Found::Ended => self.collected(),
        }
    }

    fn let_go(&self, stopped: Stopped, event: Event) -> Result<(), Failed> {
        if let Event::Signal(signal) = event {
            return stopped.detach(signal);
        }
        self.answer(&stopped)?;
        stopped.detach(0)
    }

    fn answer(&self, stopped: &Stopped) -> Result<(), Failed> {
        let mut regs = stopped.registers()?;
        let (tid, answer) = (stopped.tid(), regs.answer());
        let failed = answer == -(libc::EINTR as i64);
        if !failed && !restarts(answer) {
            return Ok(());
        }
        if self.wait.goes_on(&regs) && voluntary_switches(tid) == self.switched + 1 {
            regs.set_answer(self.wait.means.timed_out);
            self.wait.clear_sets(Memory(tid));
            self.wait.write_left(&self.engine, Memory(tid), false);
            if let Some((at, time)) = self.before {
                let _ = Memory(tid).write(at, &time);
            }
        } else if failed {
            // Only the keeper has interrupted it. Other calls start again by themselves.
            regs.make_call_again();
        }
        stopped.set_registers(&regs)
    }

    /// It was killed. A tracer has to collect a thread, or nobody else can; a child of the
    /// launcher's is for the main thread to collect.
    fn collected(&self) -> bool {
        let own = self.running.tid() == self.pid
            && Stat::of_process(self.pid as u32)
                .is_ok_and(|stat| stat.parent() == std::process::id());
        own || collect(&self.running)
    }
}
