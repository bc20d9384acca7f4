//! The kernel's own clock functions, beneath everything that is hooked: found in the vDSO (vdso(7)).

use libc::timespec;
use std::sync::atomic::{AtomicUsize, Ordering};

static CLOCK_GETTIME: AtomicUsize = AtomicUsize::new(0);

type ClockGettime = unsafe extern "C" fn(i32, *mut timespec) -> i32;

/// Real time of clock `id`, or the kernel's error (negated).
#[inline(always)]
pub fn clock_gettime(id: i32, out: &mut timespec) -> i32 {
    let at = CLOCK_GETTIME.load(Ordering::Relaxed);
    if at > 1 {
        // SAFETY: `find` stored the address of the vDSO's function, which has this signature.
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
        // SAFETY: getauxval only reads; the kernel maps the vDSO for the life of the process.
        let base = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) } as usize;
        let at = if base == 0 { None } else { symbol(base, b"__vdso_clock_gettime\0") };
        CLOCK_GETTIME.store(at.unwrap_or(1), Ordering::Relaxed);
        if at.is_some() {
            return clock_gettime(id, out);
        }
    }
    // SAFETY: `out` is a valid timespec.
    unsafe { engine::sys::syscall6(libc::SYS_clock_gettime, id as usize, out as *mut _ as usize, 0, 0, 0, 0) as i32 }
}

/// Address of `name` (with its NUL) in the ELF image at `base`.
pub fn symbol(base: usize, name: &[u8]) -> Option<usize> {
    use libc::{Elf64_Ehdr, Elf64_Phdr, Elf64_Sym, PT_DYNAMIC, PT_LOAD};
    const DT_STRTAB: u64 = 5;
    const DT_SYMTAB: u64 = 6;
    // SAFETY: the kernel's vDSO is a well-formed ELF image, mapped whole and readable; symbols precede strings in it,
    // which bounds their number.
    unsafe {
        let ehdr = &*(base as *const Elf64_Ehdr);
        let phdrs =
            std::slice::from_raw_parts((base + ehdr.e_phoff as usize) as *const Elf64_Phdr, ehdr.e_phnum as usize);
        let load = phdrs.iter().find(|p| p.p_type == PT_LOAD)?;
        let bias = base.wrapping_add(load.p_offset as usize).wrapping_sub(load.p_vaddr as usize);
        let dynamic = phdrs.iter().find(|p| p.p_type == PT_DYNAMIC)?;
        let (mut strings, mut symbols) = (0, 0);
        let mut entry = bias.wrapping_add(dynamic.p_vaddr as usize) as *const [u64; 2];
        while (*entry)[0] != 0 {
            match (*entry)[0] {
                DT_STRTAB => strings = bias.wrapping_add((*entry)[1] as usize),
                DT_SYMTAB => symbols = bias.wrapping_add((*entry)[1] as usize),
                _ => {}
            }
            entry = entry.add(1);
        }
        if symbols == 0 || strings <= symbols {
            return None;
        }
        let count = (strings - symbols) / size_of::<Elf64_Sym>();
        std::slice::from_raw_parts(symbols as *const Elf64_Sym, count)
            .iter()
            .find(|s| {
                let at = (strings + s.st_name as usize) as *const u8;
                s.st_value != 0 && std::slice::from_raw_parts(at, name.len()) == name
            })
            .map(|s| bias.wrapping_add(s.st_value as usize))
    }
}
