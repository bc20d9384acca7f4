//! The session's clocks as hooks read them, and when their instants come.

use crate::shim::vdso;
use engine::Engine;
use libc::{clockid_t, timespec};
use posix::clock::{self, Clocks};
use posix::errno::Errno;
use posix::time::{Instant, Span, Spec};

/// The clocks of a session.
pub struct SessionClocks<'a>(pub &'a Engine);

impl Clocks for SessionClocks<'_> {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_ns(self.0.now())
    }

    #[inline]
    fn read(&self, id: i32) -> Result<Spec, Errno> {
        self.0.page.reads(id, || real(id))
    }
}

/// What the machine's clock `id` reads.
#[inline(always)]
pub fn real(id: clockid_t) -> Result<Spec, Errno> {
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    match vdso::clock_gettime(id, &mut ts) {
        0 => Ok(Spec { sec: ts.tv_sec, nsec: ts.tv_nsec }),
        failed => Err(Errno(-failed)),
    }
}

/// The virtual instant at which clock `id` reads `at`: see [`clock::deadline`].
pub fn instant(engine: &Engine, id: clockid_t, at: Spec) -> Result<u64, Errno> {
    clock::deadline(&SessionClocks(engine), id, at).map(Instant::ns)
}

/// Has clock `id` reached `at`?
pub fn reached(engine: &Engine, id: clockid_t, at: Spec) -> bool {
    clock::reached(&SessionClocks(engine), id, at)
}

/// A duration from now as a virtual instant.
pub fn after(engine: &Engine, span: Span) -> u64 {
    SessionClocks(engine).now().after(span).ns()
}
