//! The code is run: in frozen mode in a copy of the image, in elapsed mode in this process's own
//! vDSO, in a child.

use super::*;
use crate::arch::syscall::syscall6;
use crate::region::layout::{ClockMode, Page};
use crate::region::sizes::CLOCKS;
use crate::sync::Relaxed;
use posix::clock::{TIME_OF_DAY, VIRTUAL};
use posix::time::{SECOND, Spec};
use std::mem::transmute;

const SYS_MMAP: i64 = 9;
const SYS_MPROTECT: i64 = 10;
const SYS_FORK: i64 = 57;
const SYS_EXIT: i64 = 60;
const SYS_WAIT4: i64 = 61;
const SYS_CLOCK_GETTIME: i64 = 228;
const RWX: usize = 7;
const PRIVATE_ANONYMOUS: usize = 0x22;

type Times = [i64; 2];
type ClockGettime = extern "sysv64" fn(i32, *mut Times) -> i32;
type Gettimeofday = extern "sysv64" fn(*mut Times, *mut [i32; 2]) -> i32;
type Time = extern "sysv64" fn(*mut i64) -> i64;

/// Where this process's vDSO is, and its bytes.
fn own() -> (u64, &'static [u8]) {
    let auxv = std::fs::read("/proc/self/auxv").unwrap();
    let words: Vec<u64> =
        auxv.chunks_exact(8).map(|w| u64::from_le_bytes(w.try_into().unwrap())).collect();
    const AT_SYSINFO_EHDR: u64 = 33;
    let base = words.chunks_exact(2).find(|entry| entry[0] == AT_SYSINFO_EHDR).expect("a vDSO")[1];
    // SAFETY: the kernel maps an ELF image there for the life of the process, of the size that its
    // header says.
    unsafe {
        let size = Image::size(std::slice::from_raw_parts(base as *const u8, 64)).unwrap();
        (base, std::slice::from_raw_parts(base as *const u8, size))
    }
}

fn write(patch: &Patch) {
    for (at, bytes) in patch.writes() {
        // SAFETY: memory that the caller has made writable and executable.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
    }
}

fn page(mode: ClockMode) -> &'static Page {
    let page = Box::leak(Page::boxed());
    let bases: [Spec; CLOCKS] = std::array::from_fn(|id| Spec {
        sec: id as i64 * 1_000_000_007,
        nsec: id as i64 * 90_000_000,
    });
    page.init(mode, 5 * SECOND, &bases, 1, 0);
    page.header.clocks.store(0b1011_1111_1111, Relaxed);
    page
}

/// The three functions of the image at `base`.
struct Clocks {
    clock_gettime: ClockGettime,
    gettimeofday: Gettimeofday,
    time: Time,
}

fn clocks(image: &Image, base: u64) -> Clocks {
    let at = |name| base as usize + image.function(name).unwrap().offset;
    // SAFETY: functions of the vDSO, or what was written over them, with these signatures.
    unsafe {
        Clocks {
            clock_gettime: transmute::<usize, ClockGettime>(at("__vdso_clock_gettime")),
            gettimeofday: transmute::<usize, Gettimeofday>(at("__vdso_gettimeofday")),
            time: transmute::<usize, Time>(at("__vdso_time")),
        }
    }
}

fn kernel(id: i32) -> (i32, Times) {
    let mut at: Times = [0; 2];
    // SAFETY: a valid out-parameter.
    let raw = unsafe { syscall6(SYS_CLOCK_GETTIME, id as usize, &raw mut at as usize, 0, 0, 0, 0) };
    (raw as i32, at)
}

fn nanos(t: Times) -> i128 {
    t[0] as i128 * SECOND as i128 + t[1] as i128
}

#[test]
fn the_image_has_the_functions() {
    let (_, bytes) = own();
    let image = Image::parse(bytes).unwrap();
    for name in ["clock_gettime", "gettimeofday", "time", "clock_getres"] {
        let function = image.function(&format!("__vdso_{name}")).unwrap();
        assert_eq!(image.function(name), Some(function), "the alias of {name}");
        assert!(image.code(function).unwrap().len() > 4);
    }
    assert_eq!(image.function("__vdso_clock_gettim"), None);
    assert_eq!(image.function("__vdso_clock_gettime64"), None);
}

#[test]
fn nonsense_is_no_image() {
    let (_, bytes) = own();
    assert!(Image::parse(&[]).is_none());
    assert!(Image::parse(&[0; 4096]).is_none());
    for cut in 0..bytes.len() {
        if let Some(image) = Image::parse(&bytes[..cut]) {
            image.function("__vdso_clock_gettime");
        }
    }
    let mut broken = bytes.to_vec();
    for at in 0..0x500.min(broken.len()) {
        let was = std::mem::replace(&mut broken[at], 0xff);
        if let Some(image) = Image::parse(&broken) {
            image.function("__vdso_clock_gettime");
        }
        broken[at] = was;
    }
}

#[test]
fn frozen_code_reads_the_page() {
    let (_, bytes) = own();
    let image = Image::parse(bytes).unwrap();
    // SAFETY: fresh memory of our own.
    let copy =
        unsafe { syscall6(SYS_MMAP, 0, bytes.len(), RWX, PRIVATE_ANONYMOUS, usize::MAX, 0) } as u64;
    // SAFETY: as large as the image.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy as *mut u8, bytes.len()) };
    let (page, counter) = (page(ClockMode::Frozen), Box::leak(Box::new(0u32)) as *mut u32);
    let target =
        Target::page(ClockMode::Frozen, page as *const Page as u64, counter as u64, 20_000);
    let patch = Patch::new(&image, copy, target).unwrap();
    assert!(patch.fast);
    write(&patch);
    let clocks = clocks(&image, copy);

    let second = SECOND as i64;
    let shifts = [0, 1, second - 1, -1, -second, 3 * second, i64::MAX, i64::MIN];
    let times = [
        0,
        1,
        999_999_999,
        SECOND,
        5 * SECOND + 123_456_789,
        1 << 53,
        u64::MAX / 2,
        u64::MAX - 1,
        u64::MAX,
    ];
    for (shift, time) in shifts.into_iter().flat_map(|s| times.map(|t| (s, t))) {
        page.header.realtime_shift.store(shift, Relaxed);
        page.header.clock.set(time);
        // SAFETY: nobody else uses it.
        unsafe { counter.write(0) };
        for id in (0..12).filter(|id| VIRTUAL >> id & 1 != 0) {
            let (want, mut got) = (page.frozen(id), [7, 7]);
            assert_eq!((clocks.clock_gettime)(id as i32, &mut got), 0);
            assert_eq!(got, [want.sec, want.nsec], "clock {id}, {time} + {shift}");
        }
        let (want, mut day, mut zone, mut when) = (page.frozen(0), [7, 7], [7, 7], 7);
        assert_eq!((clocks.gettimeofday)(&mut day, &mut zone), 0);
        assert_eq!((day, zone), ([want.sec, want.nsec / 1000], [0, 0]));
        assert_eq!((clocks.gettimeofday)(std::ptr::null_mut(), std::ptr::null_mut()), 0);
        assert_eq!(((clocks.time)(&mut when), when), (want.sec, want.sec));
        assert_eq!((clocks.time)(std::ptr::null_mut()), want.sec);
        // SAFETY: as above.
        assert_eq!(unsafe { counter.read() }, 13);
    }
    // Clocks that are not virtual, or that the machine lacks, are the kernel's.
    page.header.clocks.store(0b1010_1111_1111, Relaxed);
    for id in [2, 3, 8, 10, 12, 31, 32, 33, 77, -1, -6, i32::MAX, i32::MIN] {
        let mut got = [0, 0];
        let answer = (clocks.clock_gettime)(id, &mut got);
        let (want, time) = kernel(id);
        assert_eq!(answer, want, "clock {id}");
        assert!((0..5 * SECOND as i128).contains(&(nanos(time) - nanos(got))), "clock {id}");
    }
    // Nor is a clock that is read too often.
    // SAFETY: as above.
    unsafe { counter.write(20_000) };
    let (mut got, mut day, mut when) = ([0, 0], [0, 0], 0);
    assert_eq!((clocks.clock_gettime)(1, &mut got), 0);
    assert!((0..5 * SECOND as i128).contains(&(nanos(kernel(1).1) - nanos(got))));
    assert_eq!((clocks.gettimeofday)(&mut day, std::ptr::null_mut()), 0);
    assert!((0..5).contains(&(kernel(0).1[0] - day[0])));
    assert_eq!((clocks.time)(&mut when), when);
    assert!((0..5).contains(&(kernel(0).1[0] - when)));
}

/// The answers of patched code in this very process, which must have one thread.
fn elapsed_code_adds(page: &Page, (base, bytes): (u64, &[u8])) -> Result<(), &'static str> {
    let image = Image::parse(bytes).ok_or("image")?;
    let clocks = clocks(&image, base);
    let patch = Patch::new(
        &image,
        base,
        Target::page(ClockMode::Elapsed, page as *const Page as u64, 0, 0),
    )
    .ok_or("patch")?;
    // SAFETY: the whole vDSO; it cannot be split.
    if unsafe { syscall6(SYS_MPROTECT, base as usize, bytes.len(), RWX, 0, 0, 0) } != 0 {
        return Err("mprotect");
    }
    write(&patch);
    // SAFETY: the address is that of a clock_gettime.
    let original = unsafe { transmute::<usize, ClockGettime>(patch.original as usize) };
    let shifts = [0i64, 1, 999_999_999, -1, -1_000_000_000, 86_400_000_000_000, -999_999_999];
    for (shift, offset) in
        shifts.into_iter().flat_map(|s| [0u64, 1, 999_999_999, 1 << 55].map(|o| (s, o)))
    {
        page.header.realtime_shift.store(shift, Relaxed);
        page.header.clock.set(offset);
        let ahead =
            |id: i32| offset as i128 + if TIME_OF_DAY >> id & 1 != 0 { shift as i128 } else { 0 };
        for id in (0..12).filter(|id| VIRTUAL >> id & 1 != 0) {
            let (mut before, mut got, mut after) = ([0; 2], [0; 2], [0; 2]);
            if original(id, &mut before) != 0 {
                // The alarm clocks need a hardware that not every machine has.
                if (clocks.clock_gettime)(id, &mut got) != kernel(id).0 {
                    return Err("no error");
                }
                continue;
            }
            if (clocks.clock_gettime)(id, &mut got) != 0 {
                return Err("an error");
            }
            original(id, &mut after);
            let real = nanos(got) - ahead(id);
            if !(0..SECOND as i64).contains(&got[1]) || real < nanos(before) || real > nanos(after)
            {
                return Err("another time");
            }
        }
        let (mut before, mut day, mut zone, mut after) = ([0; 2], [0; 2], [7, 7], [0; 2]);
        original(0, &mut before);
        let (failed, now) =
            ((clocks.gettimeofday)(&mut day, &mut zone), (clocks.time)(std::ptr::null_mut()));
        original(0, &mut after);
        let (low, high) = (nanos(before) + ahead(0), nanos(after) + ahead(0));
        let micros = day[0] as i128 * 1_000_000 + day[1] as i128;
        if failed != 0 || zone != [0, 0] || micros < low / 1000 || micros > high / 1000 {
            return Err("another time of day");
        }
        if (now as i128) < low / SECOND as i128 || now as i128 > high / SECOND as i128 {
            return Err("another second");
        }
    }
    for id in [2, 3, 10, 12, 31, 32, 33, 77, -1, -6, i32::MAX, i32::MIN] {
        let mut got = [0, 0];
        if (clocks.clock_gettime)(id, &mut got) != kernel(id).0 {
            return Err("another error");
        }
    }
    if patch.fast { Ok(()) } else { Err("not the vDSO's own code") }
}

#[test]
fn elapsed_code_adds_to_the_original() {
    let (page, own) = (page(ClockMode::Elapsed), own());
    // SAFETY: the child makes system calls alone, and allocates nothing.
    let child = unsafe { syscall6(SYS_FORK, 0, 0, 0, 0, 0, 0) };
    if child == 0 {
        let text = elapsed_code_adds(page, own).err().unwrap_or("");
        // SAFETY: tells why, and ends the child.
        unsafe {
            syscall6(1, 2, text.as_ptr() as usize, text.len(), 0, 0, 0);
            syscall6(SYS_EXIT, !text.is_empty() as usize, 0, 0, 0, 0, 0);
        }
    }
    let mut status = -1i32;
    // SAFETY: a valid out-parameter.
    unsafe { syscall6(SYS_WAIT4, child as usize, &raw mut status as usize, 0, 0, 0, 0) };
    assert_eq!(status, 0);
}
