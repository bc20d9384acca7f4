//! Joining the session: mapping the shared region, and taking the main thread's slot.
//!
//! Runs from the library's constructor, or from the first hook that is called before it (another
//! library's constructor, a `malloc` implementation). Raw system calls only, no allocation.

use crate::shim::library::library;
use crate::shim::numbers;
use crate::shim::reach;
use crate::shim::signal_mask::Masked;
use crate::shim::tls::tls;
use crate::shim::vdso;
use engine::arch::syscall::syscall6;
use engine::schedule::births::Credit;
use engine::{Engine, Kind, Page};
use posix::errno::is_error;
use std::ffi::CStr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

pub use crate::shim::numbers::{getpid, gettid, process};

// NOTE [One page for each process]
//
// What a process executed or forked writes, or only reads for the first time, costs it a page fault
// for each page, and that is most of what a session costs a short program. So what all processes
// write lies together (`.data.interpose`), and not between the large tables that few need; and so
// does the code for joining, forking, executing and leaving (`.text.interpose`), of which the
// kernel maps 64 KiB a fault.

const UNTRIED: u32 = 0;
const ATTACHED: u32 = 1;
const ABSENT: u32 = 2;

#[unsafe(link_section = ".data.interpose")]
static STATE: AtomicU32 = AtomicU32::new(UNTRIED);
#[unsafe(link_section = ".data.interpose")]
static PAGE: AtomicPtr<Page> = AtomicPtr::new(std::ptr::null_mut());

/// Longest path kept of the session and of the library.
const TEXT: usize = 512;

/// A string kept from the environment: written once, by `attach`, and read without waiting.
pub struct Text(spin::Once<[u8; TEXT]>);

impl Text {
    const fn new() -> Text {
        Text(spin::Once::new())
    }

    /// Copies it; false if it is too long.
    pub fn keep(&self, from: &CStr) -> bool {
        let bytes = from.to_bytes();
        let fits = bytes.len() < TEXT;
        if fits {
            self.0.call_once(|| {
                let mut text = [0; TEXT];
                text[..bytes.len()].copy_from_slice(bytes);
                text
            });
        }
        fits
    }

    /// The text; empty when there is none.
    pub fn get(&self) -> &CStr {
        self.0.get().and_then(|text| CStr::from_bytes_until_nul(text).ok()).unwrap_or(c"")
    }
}

/// Value of [`posix::names::Names::session`] that this process joined by.
#[unsafe(link_section = ".data.interpose")]
pub static SESSION: Text = Text::new();
/// Value of [`posix::names::Names::library`].
#[unsafe(link_section = ".data.interpose")]
pub static LIBRARY: Text = Text::new();

/// The engine, if this process is part of a session.
#[inline]
pub fn engine() -> Option<Engine> {
    match STATE.load(Ordering::Acquire) {
        ATTACHED => {}
        UNTRIED if attach() => {}
        _ => return None,
    }
    // SAFETY: set before STATE, mapped for the life of the process.
    let page = unsafe { &*PAGE.load(Ordering::Relaxed) };
    let pid = numbers::process();
    let process = numbers::process;
    Some(Engine { page, pid, real_now: vdso::monotonic, process, reach: &reach::Member })
}

/// The page alone, for what only reads the clock; `None` also before the session is joined.
#[inline(always)]
pub fn page() -> Option<&'static Page> {
    // SAFETY: null or mapped for the life of the process.
    unsafe { PAGE.load(Ordering::Acquire).as_ref() }
}

/// Does this process use the memory of its parent, as a vfork child does? Then what this library
/// notes of descriptors, timers and handlers is the parent's.
pub fn in_vfork_child() -> bool {
    engine().is_some() && !numbers::is_same_process()
}

/// The engine, where the memory is this process's own: not in a vfork child.
pub fn own_engine() -> Option<Engine> {
    engine().filter(|_| numbers::is_same_process())
}

/// Is only the first process tracked, and none of its children?
pub fn alone() -> bool {
    page().is_some_and(|page| page.header.idle.alone.load(Ordering::SeqCst) != 0)
}

/// In a forked child: another region, or none.
pub(crate) fn replace_page(page: Option<&'static Page>) {
    let at = page.map_or(std::ptr::null_mut(), |page| page as *const Page as *mut Page);
    STATE.store(if page.is_some() { ATTACHED } else { ABSENT }, Ordering::Release);
    PAGE.store(at, Ordering::Release);
}

/// Value of `name` in the environment.
pub fn env(name: &CStr) -> Option<&'static CStr> {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
        /// ld.so's: where the kernel has put argc, argv, a NULL, the environment.
        static __libc_stack_end: *const usize;
    }
    // SAFETY: `environ` is null or a NULL-terminated array of C strings. libc sets it in its own
    // constructor; a hook that is called before that (from `.preinit_array`) finds the same array
    // on the initial stack.
    unsafe {
        let early = || __libc_stack_end.add(*__libc_stack_end + 2).cast();
        let array = if environ.is_null() { early() } else { environ };
        find_env(array, name).map(|(_, value)| value)
    }
}

/// Index and value of `name` in an environment array.
///
/// # Safety
/// `env` is null or a NULL-terminated array of C strings that outlives the use of the result.
pub unsafe fn find_env(
    env: *const *const libc::c_char,
    name: &CStr,
) -> Option<(usize, &'static CStr)> {
    if env.is_null() {
        return None;
    }
    let name = name.to_bytes();
    for i in 0.. {
        // SAFETY: an array that ends with a NULL, where the loop ends.
        let entry = unsafe { *env.add(i) };
        if entry.is_null() {
            return None;
        }
        // SAFETY: as above.
        let text = unsafe { CStr::from_ptr(entry) }.to_bytes_with_nul();
        if text.len() > name.len() && text[..name.len()] == *name && text[name.len()] == b'=' {
            // SAFETY: a suffix of a NUL-terminated string.
            return Some((i, unsafe {
                CStr::from_bytes_with_nul_unchecked(&text[name.len() + 1..])
            }));
        }
    }
    None
}

#[cold]
#[unsafe(link_section = ".text.interpose")]
fn attach() -> bool {
    // A handler that calls a hook meanwhile would join a second time.
    let _masked = Masked::new();
    match STATE.load(Ordering::Acquire) {
        UNTRIED => {}
        state => return state == ATTACHED,
    }
    let library = library();
    let Some(page) = library.region() else {
        STATE.store(ABSENT, Ordering::Release);
        return false;
    };
    if let Some(path) = env(library.names().library.c()) {
        LIBRARY.keep(path);
    }
    let (pid, tid) = numbers::renew();
    PAGE.store(page as *const Page as *mut Page, Ordering::Release);
    STATE.store(ATTACHED, Ordering::Release);
    take_first_slot(page, pid, tid);
    library.joined(page);
    true
}

/// Maps the region that is open as `fd`, for the life of the process; its content is still to be
/// checked.
pub fn map(fd: i32) -> Option<&'static Page> {
    // SAFETY: plain fstat and mmap.
    unsafe {
        // The launcher may be dead, and its number and the path another's: who takes another file
        // for the region dies of it.
        let mut stat: libc::stat = std::mem::zeroed();
        let failed = syscall6(libc::SYS_fstat, fd as usize, &raw mut stat as usize, 0, 0, 0, 0);
        // Who could shrink it could kill this program.
        let seals = syscall6(libc::SYS_fcntl, fd as usize, libc::F_GET_SEALS as usize, 0, 0, 0, 0);
        let sealed = seals >= 0 && seals & libc::F_SEAL_SHRINK as isize != 0;
        if failed != 0 || stat.st_size != size_of::<Page>() as i64 || !sealed {
            return None;
        }
        let prot = (libc::PROT_READ | libc::PROT_WRITE) as usize;
        let at = syscall6(
            libc::SYS_mmap,
            0,
            size_of::<Page>(),
            prot,
            libc::MAP_SHARED as usize,
            fd as usize,
            0,
        );
        (!is_error(at)).then(|| &*(at as *const Page))
    }
}

/// The slot that exec, spawn or the launcher left for us, or a fresh one. Slots of threads that
/// ended with the former image go back.
fn take_first_slot(page: &Page, pid: u32, tid: u32) {
    let left = env(library().names().slot.c())
        .and_then(|v| engine::procfs::number(v.to_bytes()))
        .and_then(Credit::from_word);
    // The variable may be another process's, one that was forked behind our back.
    let ours = |c: &Credit| [0, pid].contains(&page.slots[c.index()].pid.load(Ordering::Relaxed));
    let index = match left.filter(ours).filter(|&credit| page.adopt(credit, pid, tid)) {
        Some(credit) => Some(credit.index()),
        None => page.claim(Kind::Busy, pid, tid, pid as u64),
    };
    for i in 0..page.high() {
        let slot = &page.slots[i];
        let thread = !matches!(slot.state.load().kind(), Kind::Free | Kind::Timer);
        if Some(i) != index && slot.pid.load(Ordering::Relaxed) == pid && thread {
            page.release(i);
        }
    }
    tls().slot.set(index.map_or(0, |i| i as u32 + 1));
    index.inspect(|&index| numbers::note(index));
    if let Some(engine) = engine() {
        engine.page.awake();
    }
}
