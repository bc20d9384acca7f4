//! What clocks read in virtual time, for the launcher and the tracer.

use engine::Engine;
use posix::clock::{Clocks, is_virtual};
use posix::errno::Errno;
use posix::time::{Instant, Spec};

/// The clocks of a session, read by a process of ours.
pub struct SessionClocks<'a>(pub &'a Engine);

impl Clocks for SessionClocks<'_> {
    fn now(&self) -> Instant {
        Instant::from_ns(self.0.now())
    }

    fn read(&self, id: i32) -> Result<Spec, Errno> {
        read(self.0, id).filter(|_| is_virtual(id)).ok_or(Errno::EINVAL)
    }
}

/// What clock `id` reads in virtual time; `None` if the machine has no such clock.
pub fn read(engine: &Engine, id: i32) -> Option<Spec> {
    let real = || {
        let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a valid out-parameter.
        let failed = unsafe { libc::clock_gettime(id, &mut ts) };
        if failed == 0 { Ok(Spec { sec: ts.tv_sec, nsec: ts.tv_nsec }) } else { Err(()) }
    };
    engine.page.reads(id, real).ok()
}
