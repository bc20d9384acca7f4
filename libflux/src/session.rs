//! How libflux.so joins a launcher's session, and what it has to do over fork(2) and exec(2).

use crate::{alarms, clocks, file_times, holds, posix_timers, timer_thread, timerfd};
use engine::arch::syscall::syscall6;
use engine::arch::vdso::Target;
use engine::region::slot::Slot;
use engine::region::tracer_word::{TRACED, Trace};
use engine::{Engine, Page};
use interpose::shim::library::Library;
use interpose::shim::session::{self, SESSION, env};
use interpose::shim::{inherited_fds, numbers, vdso};
use libc::{FILE, c_char, c_int};
use posix::names::{FLUX, Names};
use posix::session_name::{LONGEST, SessionName};
use std::sync::atomic::Ordering::Relaxed;

/// libflux.so, as `library!` wants it.
pub struct Libflux;

impl Library for Libflux {
    fn names(&self) -> &'static Names {
        &FLUX
    }

    /// The launcher's. Without a launcher, and where the tracer speaks for this process, the
    /// program runs in real time.
    fn region(&self) -> Option<&'static Page> {
        let value = env(FLUX.session.c()).filter(|value| SESSION.keep(value))?;
        let name = SessionName::parse(value.to_bytes())?;
        let page = open(&name)?;
        // Whoever could open the launcher's path has a `/proc` that shows the launcher.
        numbers::begin(name.descriptor().is_none());
        name.numbers.inspect(|&link| inherited_fds::inherit_link(link));
        (!is_traced(page, numbers::mine().0)).then_some(page)
    }

    fn joined(&self, page: &Page) {
        vdso::take_over(Target::Functions {
            clock_gettime: clocks::vdso_clock_gettime as *const () as u64,
            gettimeofday: clocks::vdso_gettimeofday as *const () as u64,
            time: clocks::vdso_time as *const () as u64,
        });
        timerfd::after_exec(page, session::process());
        if numbers::nested() {
            // Its children may have another `/proc`.
            self.keep_session();
        }
        alarms::after_exec(page);
        file_times::record::begin();
    }

    fn look_at_written(&self) {
        file_times::record::look_at_written();
    }

    fn before_creation(&self) -> i64 {
        file_times::record::tick()
    }

    fn opened(&self, dir: c_int, path: *const c_char, flags: c_int, fd: c_int, before: i64) {
        file_times::changes::opened(dir, path, flags, fd, before);
    }

    fn opened_stream(
        &self,
        path: *const c_char,
        mode: *const c_char,
        stream: *mut FILE,
        before: i64,
    ) {
        file_times::streams::opened_stream(path, mode, stream, before);
    }

    fn leaves(&self) {
        file_times::leaves();
    }

    fn forked(&self) {
        posix_timers::reset();
        holds::forked();
    }

    fn session_of_next_image<'a>(&self, into: &'a mut [u8; LONGEST]) -> &'a [u8] {
        let value = SESSION.get().to_bytes();
        let kept = SessionName::parse(value).and_then(|name| inherited_fds::kept_name(&name, into));
        kept.unwrap_or(value)
    }

    fn keep_session(&self) {
        if session::engine().is_some() {
            let name = SessionName::parse(SESSION.get().to_bytes());
            name.inspect(inherited_fds::keep_region);
        }
    }

    fn before_exec(&self, engine: &Engine, credit: usize) -> bool {
        file_times::record::look_at_written();
        alarms::before_exec(engine, credit)
    }

    fn exec_failed(&self, alarm: bool) {
        if alarm {
            alarms::exec_failed();
        }
    }

    fn own_thread(&self) -> u32 {
        timer_thread::tid()
    }

    fn stop_own_thread(&self) -> bool {
        timer_thread::stop()
    }

    fn restart_own_thread(&self) {
        timer_thread::restart();
    }
}

/// Does the tracer speak for this process? A statically linked program may load what it runs
/// itself, libraries included (valgrind): its system calls are the tracer's business already. Not
/// where all are traced, this library's programs too.
fn is_traced(page: &Page, pid: u32) -> bool {
    let mine = |slot: &Slot| slot.pid.load(Relaxed) == pid && slot.tracer.load(Relaxed) == TRACED;
    page.header.trace.load(Relaxed) != Trace::All as u32
        && page.slots[..page.high()].iter().any(mine)
}

fn open(name: &SessionName) -> Option<&'static Page> {
    // The launcher may be dead, and its number another launcher's.
    let right = |page: &&Page| page.valid() && page.header.id.load(Relaxed) == name.id;
    if let Some(fd) = name.descriptor() {
        // Inherited, and good also where there is no /proc.
        let page = session::map(fd).filter(right);
        page.inspect(|_| inherited_fds::inherit(fd, -1, -1));
        return page;
    }
    let fd = inherited_fds::open(name.path)?;
    let page = session::map(fd).filter(right);
    // SAFETY: a descriptor of our own.
    unsafe { syscall6(libc::SYS_close, fd as usize, 0, 0, 0, 0, 0) };
    page
}
