//! What the launcher was started with and Rust's runtime changes before `main`: commands get it
//! back.

use engine::programs::preload::shifts_clocks;
use posix::names::{FLUX_PRELOAD, LD_PRELOAD, Name};
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::null;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Signals whose disposition the launcher changes; whoever starts a program can only choose to have
/// them ignored.
const SIGNALS: [i32; 3] = [libc::SIGPIPE, libc::SIGCHLD, libc::SIGXFSZ];
/// Bits of [`SIGNALS`] that were ignored, then (from bit 8) descriptors 0 to 2 that were closed.
static STARTED_WITH: AtomicU32 = AtomicU32::new(0);
const CLOSED: u32 = 8;

/// Runs before the runtime, which ignores SIGPIPE and opens `/dev/null` in place of closed standard
/// descriptors.
#[used]
#[unsafe(link_section = ".init_array")]
static NOTE: unsafe extern "C" fn(c_int, Strings, Strings) = note;

type Strings = *const *const c_char;

/// # Safety
/// Arguments and environment as the dynamic linker hands them to such functions.
unsafe extern "C" fn note(_: c_int, argv: Strings, environment: Strings) {
    // SAFETY: as this function's.
    unsafe { read_true_clocks(argv, environment) };
    let mut bits = 0;
    for (i, &signal) in SIGNALS.iter().enumerate() {
        // SAFETY: zero is a valid value of all fields, and asking changes nothing.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: a valid out-parameter.
        let asked = unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) };
        if asked == 0 && action.sa_sigaction == libc::SIG_IGN {
            bits |= 1 << i;
        }
    }
    for fd in 0..3 {
        // SAFETY: only asks.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            bits |= 1 << (CLOSED + fd as u32);
        }
    }
    STARTED_WITH.store(bits, Relaxed);
}

/// libfaketime shifts the launcher's clocks like anybody's, and the session's would begin with a
/// wrong time. It cannot be unloaded, so the launcher executes itself without it. Its commands get
/// it back ([`change`]).
///
/// # Safety
/// Arguments and environment of this program.
unsafe fn read_true_clocks(argv: Strings, environment: Strings) {
    // SAFETY: an array of C strings that ends with a null pointer.
    let text = |at: usize| unsafe {
        let entry = *environment.add(at);
        (!entry.is_null()).then(|| CStr::from_ptr(entry))
    };
    let all = || (0..).map_while(text);
    let Some(theirs) = all().find_map(|entry| LD_PRELOAD.value_in(entry.to_bytes())) else {
        return;
    };
    let items = || theirs.split(|&b| b == b':' || b == b' ').filter(|item| !item.is_empty());
    if !items().any(shifts_clocks) {
        return;
    }
    let rest: Vec<_> = items().filter(|&item| !shifts_clocks(item)).collect();
    let row = |name: Name, value: &[u8]| {
        CString::new([name.text().as_bytes(), b"=", value].concat()).unwrap_or_default()
    };
    let own = [row(FLUX_PRELOAD, theirs), row(LD_PRELOAD, &rest.join(&b':'))];
    let others = all().filter(|entry| LD_PRELOAD.value_in(entry.to_bytes()).is_none());
    let rows = others.map(CStr::as_ptr).chain(own.iter().map(|row| row.as_ptr()));
    let rows: Vec<_> = rows.chain([null()]).collect();
    // SAFETY: C strings, and arrays that end with a null pointer. If it fails, it is as it was.
    unsafe { libc::execve(c"/proc/self/exe".as_ptr(), argv, rows.as_ptr()) };
}

/// What the launcher itself needs: ends of children are to be waited for, and a file that may not
/// grow is an error.
pub fn change() {
    if let Some(theirs) = std::env::var_os(FLUX_PRELOAD.text()) {
        // SAFETY: there is no other thread yet.
        unsafe {
            std::env::set_var(LD_PRELOAD.text(), theirs);
            std::env::remove_var(FLUX_PRELOAD.text());
        }
    }
    // SAFETY: no handlers.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// Puts everything back, in a child about to execute a command. Async-signal-safe.
pub fn restore() {
    let bits = STARTED_WITH.load(Relaxed);
    for (i, &signal) in SIGNALS.iter().enumerate() {
        // SAFETY: no handlers.
        unsafe {
            libc::signal(signal, if bits & 1 << i != 0 { libc::SIG_IGN } else { libc::SIG_DFL })
        };
    }
    for fd in (0..3).filter(|fd| bits & 1 << (CLOSED + fd) != 0) {
        // SAFETY: the runtime's /dev/null, which nobody else knows of.
        unsafe { libc::close(fd as i32) };
    }
}
