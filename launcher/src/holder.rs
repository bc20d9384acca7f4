//! A hold of the session's clock, for as long as a command runs (`--hold`, `--real`).

use crate::report::messages::why;
use crate::session::real_now;
use crate::{reach, region};
use engine::Engine;
use engine::region::named_holds::name_of;
use posix::names::FLUX;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::id;

/// A hold; it ends when this is dropped, or with the process.
pub struct Hold {
    engine: Engine,
    index: usize,
    _region: File,
}

impl Hold {
    /// Begins it, in a process of the session.
    ///
    /// # Errors
    /// One line: too many hold already, or the region is out of reach.
    pub fn begin(name: &str) -> Result<Hold, String> {
        let failed = |reason: &str| format!("cannot hold the session's clock: {reason}");
        let page = region::map(&std::env::var_os(FLUX.session.text()).unwrap_or_default())?;
        let region = region::open_again().map_err(|e| failed(&why(&e)))?;
        let name = name_of(name.as_bytes()).ok_or_else(|| failed("it has no name"))?;
        let (real_now, process) = (real_clock, id);
        let engine = Engine { page, pid: id(), real_now, process, reach: &reach::Nobody };
        let index = engine.begin_hold(&name, region.as_raw_fd());
        let index = index.ok_or_else(|| failed("too many do so already"))?;
        Ok(Hold { engine, index, _region: region })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // SAFETY: no arguments.
        let tid = unsafe { libc::gettid() } as u32;
        // Without the library this thread has no slot: then the keeper moves the clock.
        let page = self.engine.page;
        let me = page.find(id(), tid).filter(|_| region::has_our_numbers(page));
        self.engine.end_hold(me, self.index);
    }
}

/// The machine's `CLOCK_MONOTONIC`, ns. The library, which this process has like any other of the
/// session, knows it.
fn real_clock() -> u64 {
    // SAFETY: a C string.
    let at = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"flux_real_now".as_ptr()) };
    if at.is_null() {
        return real_now();
    }
    // SAFETY: flux.h declares it so.
    unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> u64>(at)() }
}
