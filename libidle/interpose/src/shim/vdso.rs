//! The kernel's own clock functions, beneath everything that is hooked: found in the vDSO
//! (vdso(7)), and led to our own once the process is in a session, so that those who look them up
//! themselves, and other copies of libc, read virtual time too. See [`engine::arch::vdso`].

use engine::arch::syscall::syscall6;
use engine::arch::vdso::{Image, Patch, Target};
use libc::timespec;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The real `clock_gettime`; 0: not looked up yet, 1: there is none.
#[unsafe(link_section = ".data.interpose")]
static CLOCK_GETTIME: AtomicUsize = AtomicUsize::new(0);

type ClockGettime = unsafe extern "C" fn(i32, *mut timespec) -> i32;

/// Real time of clock `id`, or the kernel's error (negated).
#[inline(always)]
pub fn clock_gettime(id: i32, out: &mut timespec) -> i32 {
    let at = CLOCK_GETTIME.load(Ordering::Relaxed);
    if at > 1 {
        // SAFETY: the address of the vDSO's function, or of its beginning moved elsewhere, with
        // this signature.
        unsafe { std::mem::transmute::<usize, ClockGettime>(at)(id, out) }
    } else {
        first(id, out)
    }
}

/// Real `CLOCK_MONOTONIC`, ns.
#[inline]
pub fn monotonic() -> u64 {
    let mut ts = timespec { tv_sec: 0, tv_nsec: 0 };
    clock_gettime(libc::CLOCK_MONOTONIC, &mut ts);
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

#[cold]
fn first(id: i32, out: &mut timespec) -> i32 {
    if CLOCK_GETTIME.load(Ordering::Relaxed) == 0 {
        let function = image().and_then(|(base, _, image)| {
            Some(base + image.function("__vdso_clock_gettime")?.offset)
        });
        CLOCK_GETTIME.store(function.unwrap_or(1), Ordering::Relaxed);
        if function.is_some() {
            return clock_gettime(id, out);
        }
    }
    // SAFETY: `out` is a valid timespec.
    unsafe {
        syscall6(libc::SYS_clock_gettime, id as usize, out as *mut _ as usize, 0, 0, 0, 0) as i32
    }
}

/// The program is about to unmap or move `length` bytes at `at`. If any of the vDSO is among them,
/// the clock is read by system calls from now on.
#[inline]
pub fn goes(at: usize, length: usize) {
    /// Where it begins, and ends; 0: not looked yet, which is done before any of it goes.
    static BEGIN: AtomicUsize = AtomicUsize::new(0);
    static END: AtomicUsize = AtomicUsize::new(0);
    if BEGIN.load(Ordering::Acquire) == 0 {
        let (base, size) = image().map_or((usize::MAX, 0), |(base, size, _)| (base, size));
        END.store(base.saturating_add(size), Ordering::Relaxed);
        BEGIN.store(base, Ordering::Release);
    }
    let (begin, end) = (BEGIN.load(Ordering::Relaxed), END.load(Ordering::Relaxed));
    if at < end && begin < at.saturating_add(length) {
        CLOCK_GETTIME.store(1, Ordering::SeqCst);
    }
}

/// This process's vDSO: where it is, how many bytes it takes, and what is in it.
fn image() -> Option<(usize, usize, Image<'static>)> {
    const HEADER: usize = 64;
    // SAFETY: getauxval only reads.
    let base = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) } as usize;
    if base == 0 {
        return None;
    }
    // SAFETY: the kernel maps an ELF image there for the life of the process, of the size that its
    // header says.
    unsafe {
        let size = Image::size(std::slice::from_raw_parts(base as *const u8, HEADER))?;
        Some((base, size, Image::parse(std::slice::from_raw_parts(base as *const u8, size))?))
    }
}

/// Leads the vDSO's clock functions to `target`. The process has just joined the session and has
/// one thread. Where it can't be done (no vDSO, a seccomp filter or a security module that allows
/// no such mapping) nothing has changed.
#[unsafe(link_section = ".text.interpose")]
pub fn take_over(target: Target) {
    let Some((base, size, image)) = image() else { return };
    let Some(patch) = Patch::new(&image, base as u64, target) else { return };
    // The mapping cannot be split, so it is all of it; and it is executable at any time, so that
    // nothing is lost if the second call should fail.
    let protect = |prot: i32| {
        // SAFETY: the vDSO's own pages.
        unsafe { syscall6(libc::SYS_mprotect, base, size, prot as usize, 0, 0, 0) }
    };
    if protect(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC) != 0 {
        return;
    }
    for (at, bytes) in patch.writes() {
        // SAFETY: within the vDSO, which is writable now.
        unsafe { write(at as usize, bytes) };
        // The first of the writes brings the original; the others lead away from where it was.
        CLOCK_GETTIME.store(patch.original as usize, Ordering::SeqCst);
    }
    protect(libc::PROT_READ | libc::PROT_EXEC);
}

/// Writes `bytes` to `at`. Those that fit into an aligned word are written at once: a signal
/// handler finds the old instruction or the new one.
///
/// # Safety
/// The memory is writable, in whole words of 8 bytes.
unsafe fn write(at: usize, bytes: &[u8]) {
    let inside = at % 8;
    if inside + bytes.len() <= 8 {
        // SAFETY: whole words of it can be written; aligned.
        let word = unsafe { AtomicU64::from_ptr((at - inside) as *mut u64) };
        let mut new = word.load(Ordering::Relaxed).to_ne_bytes();
        new[inside..inside + bytes.len()].copy_from_slice(bytes);
        word.store(u64::from_ne_bytes(new), Ordering::SeqCst);
    } else {
        // SAFETY: it can be written.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
    }
}
