use crate::thread::{Files, Thread};
use crate::{ProcLook, Whose};
use engine::arch::syscall::syscall6;
use engine::region::layout::{ClockMode, Page};
use engine::region::sizes::CLOCKS;
use engine::schedule::reach::Everything;
use engine::{Engine, Kind};
use posix::time::Spec;
use std::sync::mpsc;

fn tid() -> u32 {
    // SAFETY: no arguments.
    unsafe { syscall6(libc::SYS_gettid, 0, 0, 0, 0, 0, 0) as u32 }
}

fn engine() -> Engine {
    let (size, how) = (size_of::<Page>(), (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize);
    // SAFETY: new memory, whose zeroes are valid: every field is an atomic integer.
    let page: &'static Page = unsafe {
        let writable = (libc::PROT_READ | libc::PROT_WRITE) as usize;
        &*(syscall6(libc::SYS_mmap, 0, size, writable, how, usize::MAX, 0) as *const Page)
    };
    page.init(ClockMode::Frozen, 0, &[Spec { sec: 0, nsec: 0 }; CLOCKS], 1, 0);
    let (pid, process) = (std::process::id(), std::process::id);
    Engine { page, pid, real_now: || 0, process, reach: &Everything }
}

/// The kernel gives numbers away again, and the files of a thread that has ended say for ever that
/// it is gone.
#[test]
fn files_of_the_thread_that_had_the_number_before() {
    let (engine, me) = (engine(), std::process::id());
    let mut look = ProcLook::new(engine, Whose::Slots, None, |_| ()).expect("memory");
    let (tell, told) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        tell.send(tid()).expect("somebody listens");
        let _ = ended.recv();
    });
    let before = told.recv().expect("it tells");
    let mut files = Files::open(me, before, engine.real_now).expect("it lives");
    drop(end);
    other.join().expect("it ends");
    while files.look(None) != Thread::Gone {
        std::thread::yield_now();
    }
    let index = engine.page.claim(Kind::Busy, me, tid(), 1).expect("room");
    files.tid = tid();
    look.note(index).files = Some(files);
    assert_eq!(look.thread(index, me, tid(), None), Thread::Running);
    assert_eq!(look.thread(index, me, before, None), Thread::Gone);
}
