//! What is done to a program at its exec stop, before its first instruction: the session's region
//! is mapped, clock code written over the vDSO, the filter installed.

use super::filter;
use super::process::{Descriptors, Process, Space};
use crate::program_kind;
use crate::tracer::arch::calls::SYSCALL;
use crate::tracer::ptrace::bpf::{Build, in_ranges, install};
use crate::tracer::ptrace::failed::Failed;
use crate::tracer::ptrace::inject::{Calls, after_a_call, scratch, touch};
use crate::tracer::ptrace::maps::{Range, mappings, vdso_of};
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::wait::Stopped;
use engine::arch::vdso::{Image, Patch, Target};
use engine::{ClockMode, Engine, Page};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

const PAGE: u64 = 4096;
/// What a thread reads its numbers from, with its NUL.
const LINK: &[u8] = b"/proc/thread-self\0";
/// What the region takes in memory.
const REGION: u64 = (size_of::<Page>() as u64).next_multiple_of(PAGE);

/// Clock reads in frozen mode with no stop between them, after which the clock creeps.
pub const SPINNING: u32 = 20_000;

/// A program that has been made ready.
pub struct Ready {
    /// Where things are.
    pub space: Space,
    /// The code whose calls stop, with that of former filters.
    pub filtered: Vec<Range>,
    /// Its reads stop, too.
    pub reads_stop: bool,
}

/// What a program has inherited from the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The library has left the kernel's alarm set, in case nobody traces the program.
    pub alarm: bool,
    /// Timer descriptors.
    pub timers: bool,
    /// A filter that stops the calls of all code ([`Kit::close_gate`]).
    pub gated: bool,
    /// A descriptor of the region, whose path it may have no access to.
    pub kept: Option<Descriptors>,
}

/// What it takes to make programs ready.
pub struct Kit {
    engine: Engine,
    region: Vec<u8>,
    /// Its device and number.
    file: (u64, u64),
    image: Image<'static>,
    /// Offset of a `syscall` instruction in the vDSO.
    instruction: u64,
    /// The vDSO's.
    size: u64,
}

impl Kit {
    /// `None` on a machine without a vDSO, or if the region is not there.
    pub fn new(engine: Engine, region: &OsStr) -> Option<Kit> {
        // SAFETY: only reads.
        let base = unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) } as *const u8;
        if base.is_null() {
            return None;
        }
        // SAFETY: the kernel maps an ELF image there for the life of the process, of the size that
        // its header says.
        let bytes = unsafe {
            std::slice::from_raw_parts(base, Image::size(std::slice::from_raw_parts(base, 64))?)
        };
        let instruction = bytes.windows(SYSCALL.len()).position(|w| w == SYSCALL)? as u64;
        let file = std::fs::metadata(region).ok().map(|file| (file.dev(), file.ino()))?;
        let mut region = region.as_bytes().to_vec();
        region.push(0);
        let size = bytes.len() as u64;
        Some(Kit { engine, region, file, image: Image::parse(bytes)?, instruction, size })
    }

    /// Under `--trace=all`: from now on the calls stop of the program that has just been executed,
    /// and of all that come after it, unless they take the gate. False if the kernel refuses the
    /// filter.
    pub fn close_gate(&self, stopped: Stopped) -> Result<(Stopped, bool), Failed> {
        let Some(vdso) = vdso_of(stopped.tid()) else { return Ok((stopped, false)) };
        let memory = Memory(stopped.tid());
        let calls = Calls::new(stopped, vdso + self.instruction)?;
        let (calls, scratch) = scratch(calls, memory)?;
        let (calls, installed) = install(calls, memory, scratch, filter::of_all(), 0)?;
        Ok((calls.finish()?, installed))
    }

    /// The stack of the program that has just been executed is to reach down to `at`.
    pub fn grow_stack(&self, stopped: Stopped, at: u64) -> Result<Stopped, Failed> {
        let memory = Memory(stopped.tid());
        match vdso_of(stopped.tid()).filter(|_| memory.read::<u64>(at).is_err()) {
            Some(vdso) => {
                touch(Calls::new(stopped, vdso + self.instruction)?, memory, at)?.finish()
            }
            None => Ok(stopped),
        }
    }

    /// Is `at` an address in the vDSO, which begins at `vdso`?
    pub fn in_vdso(&self, vdso: u64, at: u64) -> bool {
        (vdso..vdso + self.size).contains(&at)
    }

    /// Prepares the program that has just been executed. `before` is what the inherited filters of
    /// former programs stop. `None` if the kernel refuses something: then nothing is filtered, and
    /// the program can be let go.
    pub fn prepare(
        &self,
        stopped: Stopped,
        before: &[Range],
        found: Found,
    ) -> Result<(Stopped, Option<Ready>), Failed> {
        let pid = stopped.tid();
        let memory = Memory(pid);
        let Some(vdso) = vdso_of(pid) else { return Ok((stopped, None)) };
        let calls = Calls::new(stopped, vdso + self.instruction)?;
        let (calls, scratch) = scratch(calls, memory)?;
        let calls = if found.alarm { calls.call(libc::SYS_alarm, [0; 6])?.0 } else { calls };
        let (calls, fd) = match found.kept {
            Some(kept) => (calls, kept.region as i64),
            None => self.open(calls, memory, scratch, libc::O_RDONLY | libc::O_CLOEXEC)?,
        };
        if fd < 0 {
            return Ok((calls.finish()?, None));
        }
        let map = |at: i64, size: u64, prot: i32, flags: i32, fd: i64| {
            [at as u64, size, prot as u64, flags as u64, fd as u64, 0]
        };
        // One page more, which a private page then replaces.
        let (calls, region) = calls
            .call(libc::SYS_mmap, map(0, REGION + PAGE, libc::PROT_READ, libc::MAP_SHARED, fd))?;
        let calls = match found.kept {
            Some(_) => calls,
            None => calls.call(libc::SYS_close, [fd as u64, 0, 0, 0, 0, 0])?.0,
        };
        if region < 0 {
            return Ok((calls.finish()?, None));
        }
        let (rw, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
        );
        let (calls, counter) =
            calls.call(libc::SYS_mmap, map(region + REGION as i64, PAGE, rw, flags, -1))?;
        if counter < 0 {
            return Ok((calls.finish()?, None));
        }
        let space = self.space(region as u64, vdso);
        let mode = self.engine.page.mode();
        let target = Target::page(mode, space.region, space.counter, SPINNING);
        let Some(patch) = Patch::new(&self.image, vdso, target) else {
            return Ok((calls.finish()?, None));
        };
        let own = code(pid, mode);
        let new = own.iter().any(|r| !before.iter().any(|b| b.holds(*r)));
        let (calls, installed) = if new && !found.gated {
            install(calls, memory, scratch, in_ranges(filter::build, &own), 0)?
        } else {
            (calls, true)
        };
        if !installed {
            return Ok((calls.finish()?, None));
        }
        let (calls, reads_stop) = if found.timers {
            install(calls, memory, scratch, in_ranges(filter::of_reads, &own), 0)?
        } else {
            (calls, false)
        };
        for (at, bytes) in patch.writes() {
            memory.patch(at, bytes)?;
        }
        let filtered = before.iter().chain(if new { &own[..] } else { &[] }).copied().collect();
        Ok((calls.finish()?, Some(Ready { space, filtered, reads_stop })))
    }

    fn space(&self, region: u64, vdso: u64) -> Space {
        let clocks = Range { start: vdso, end: vdso + self.size };
        Space { region, counter: region + REGION, for_ever: region + REGION + 64, clocks }
    }

    /// What the memory of a process shows of it, if its parent is not known.
    pub fn process(&self, pid: i32) -> Process {
        let region = mappings(pid, 's')
            .into_iter()
            .flatten()
            .find(|(_, name)| name == "/memfd:flux-session");
        let space =
            region.zip(vdso_of(pid)).map(|((range, _), vdso)| self.space(range.start, vdso));
        let go = program_kind::is_go(&PathBuf::from(format!("/proc/{pid}/exe")));
        Process { space, filtered: code(pid, self.engine.page.mode()), go, ..Process::default() }
    }

    /// Makes more calls of a process stop: those of code in `ranges`. The thread has just made a
    /// call by an instruction of its own; all threads get the filter. False if the kernel refuses
    /// it.
    pub fn stop_more(
        &self,
        stopped: Stopped,
        build: Build,
        ranges: &[Range],
    ) -> Result<(Stopped, bool), Failed> {
        let memory = Memory(stopped.tid());
        let filter = in_ranges(build, ranges);
        let (stopped, installed) = after_a_call(stopped, |calls, scratch| {
            install(calls, memory, scratch, filter, libc::SECCOMP_FILTER_FLAG_TSYNC)
        })?;
        Ok((stopped, installed.unwrap_or(false)))
    }

    /// Opens the region in a process whose thread has just made a call by an instruction of its
    /// own. The descriptor is inherited, and has a number that the program's own hardly ever reach;
    /// as does the one by which a thread learns its number. `None` if the kernel refuses it.
    pub fn keep(&self, stopped: Stopped) -> Result<(Stopped, Option<Descriptors>), Failed> {
        let memory = Memory(stopped.tid());
        let mut link = -1;
        let (stopped, region) = after_a_call(stopped, |calls, scratch| {
            let (calls, region) = open_high(calls, memory, scratch, &self.region, libc::O_RDWR)?;
            if region < 0 {
                return Ok((calls, region));
            }
            // Where the path led to the region, `/proc` is the launcher's.
            let flags = libc::O_PATH | libc::O_NOFOLLOW;
            let (calls, high) = open_high(calls, memory, scratch, LINK, flags)?;
            link = high;
            Ok((calls, region))
        })?;
        let number = |fd: i64| i32::try_from(fd).ok().filter(|&fd| fd >= 0);
        let kept =
            region.and_then(number).map(|region| Descriptors { region, numbers: number(link) });
        Ok((stopped, kept))
    }

    /// Opens the region by its path, written to `scratch` for that; the kernel's answer.
    fn open(
        &self,
        calls: Calls,
        memory: Memory,
        scratch: u64,
        flags: i32,
    ) -> Result<(Calls, i64), Failed> {
        open(calls, memory, scratch, &self.region, flags)
    }

    /// Is `fd` of process `pid` the region?
    pub fn is_region(&self, pid: i32, fd: i32) -> bool {
        std::fs::metadata(format!("/proc/{pid}/fd/{fd}"))
            .is_ok_and(|file| (file.dev(), file.ino()) == self.file)
    }
}

/// Opens the file at `path`, which ends with a NUL and is written to `scratch`; the kernel's
/// answer.
fn open(
    calls: Calls,
    memory: Memory,
    scratch: u64,
    path: &[u8],
    flags: i32,
) -> Result<(Calls, i64), Failed> {
    if memory.write_bytes(scratch, path).is_err() {
        return Ok((calls, -libc::EFAULT as i64));
    }
    calls.call(libc::SYS_open, [scratch, flags as u64, 0, 0, 0, 0])
}

/// The same; the descriptor has a high number and is inherited.
fn open_high(
    calls: Calls,
    memory: Memory,
    scratch: u64,
    path: &[u8],
    flags: i32,
) -> Result<(Calls, i64), Failed> {
    /// The lowest number it gets.
    const HIGH: u64 = 240;
    let (calls, low) = open(calls, memory, scratch, path, flags | libc::O_CLOEXEC)?;
    if low < 0 {
        return Ok((calls, low));
    }
    let (calls, high) =
        calls.call(libc::SYS_fcntl, [low as u64, libc::F_DUPFD as u64, HIGH, 0, 0, 0])?;
    let (calls, _) = calls.call(libc::SYS_close, [low as u64, 0, 0, 0, 0, 0])?;
    Ok((calls, high))
}

/// The program's code. In elapsed mode the vDSO has to get the real time from the kernel, so it
/// does not count as such.
fn code(pid: i32, mode: ClockMode) -> Vec<Range> {
    mappings(pid, 'x')
        .into_iter()
        .flatten()
        .filter(|(_, name)| name != "[vsyscall]" && (name != "[vdso]" || mode == ClockMode::Frozen))
        .map(|(range, _)| range)
        .collect()
}

/// Does any of the code that process `pid` has mapped lie where a filter stops calls, as far as
/// that can be told? A program that its user may not read cannot be looked at.
pub fn meets(pid: i32, filtered: &[Range]) -> bool {
    !filtered.is_empty()
        && mappings(pid, 'x').is_none_or(|code| {
            code.iter().any(|(range, _)| filtered.iter().any(|f| f.meets(*range)))
        })
}
