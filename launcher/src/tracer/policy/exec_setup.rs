//! What is done to a program at its exec stop, before its first instruction: the session's region
//! is mapped, clock code written over the vDSO, the filter installed.

use crate::program_kind;
use crate::tracer::calls::SYSCALL;
use crate::tracer::policy::filter::{self, Range};
use crate::tracer::policy::tracees::Process;
use crate::tracer::ptrace::inject::Calls;
use crate::tracer::ptrace::memory::Memory;
use crate::tracer::ptrace::stop::{Failed, Stopped};
use engine::arch::vdso::{Image, Patch, Target};
use engine::{ClockMode, Engine, Page};
use libc::sock_filter;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

const PAGE: u64 = 4096;
/// What the region takes in memory.
const REGION: u64 = (size_of::<Page>() as u64).next_multiple_of(PAGE);

/// Clock reads in frozen mode with no stop between them, after which the clock creeps.
pub const SPINNING: u32 = 20_000;

/// Where things are in a traced process; its forked children have them in the same places.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// The session's region, read-only.
    pub region: u64,
    /// Frozen mode: the word that counts clock reads, in a page behind the region.
    pub counter: u64,
    /// Room for a timespec, in the same page.
    pub for_ever: u64,
    /// The vDSO.
    pub clocks: Range,
}

/// A program that has been made ready.
pub struct Ready {
    /// Where things are.
    pub space: Space,
    /// The code whose calls stop, with that of former filters.
    pub filtered: Vec<Range>,
    /// Its reads stop, too.
    pub reads_stop: bool,
}

/// What a program has from the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The library has left the kernel's alarm set, for a program that nobody looks after.
    pub alarm: bool,
    /// Timer descriptors.
    pub timers: bool,
    /// A filter that stops the calls of all code ([`Kit::close_gate`]).
    pub gated: bool,
    /// A descriptor of the region, whose path it may have no access to.
    pub kept: Option<i32>,
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
    pub fn new(engine: Engine, region: &OsString) -> Option<Kit> {
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
        let instruction = bytes.windows(2).position(|w| w == [0x0f, 0x05])? as u64;
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

    /// Makes the program ready that has just been executed. `before` is what former programs'
    /// filters, which are inherited, stop. `None` if the kernel refuses something: then nothing is
    /// filtered, and the program can be let go.
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
            Some(fd) => (calls, fd as i64),
            None => self.open(calls, memory, scratch, libc::O_RDONLY | libc::O_CLOEXEC)?,
        };
        if fd < 0 {
            return Ok((calls.finish()?, None));
        }
        let map = |at: i64, size: u64, prot: i32, flags: i32, fd: i64| {
            [at as u64, size, prot as u64, flags as u64, fd as u64, 0]
        };
        // A page more, in whose place comes one of its own.
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

    /// What is known of a process by what its memory shows, if nobody knows whose child it is.
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

    /// Makes more calls of a process stop that are made by code in `ranges`. The thread has just
    /// made a call by an instruction of its own; all threads get the filter. False if the kernel
    /// refuses it.
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

    /// Opens the region for a process whose thread has just made a call by an instruction of its
    /// own; to be inherited, and where the program's own descriptors hardly ever come to. `None` if
    /// the kernel refuses it.
    pub fn keep(&self, stopped: Stopped) -> Result<(Stopped, Option<i32>), Failed> {
        /// The lowest number it gets.
        const HIGH: u64 = 240;
        let memory = Memory(stopped.tid());
        let (stopped, kept) = after_a_call(stopped, |calls, scratch| {
            let (calls, low) = self.open(calls, memory, scratch, libc::O_RDWR | libc::O_CLOEXEC)?;
            if low < 0 {
                return Ok((calls, low));
            }
            let (calls, high) =
                calls.call(libc::SYS_fcntl, [low as u64, libc::F_DUPFD as u64, HIGH, 0, 0, 0])?;
            let (calls, _) = calls.call(libc::SYS_close, [low as u64, 0, 0, 0, 0, 0])?;
            Ok((calls, high))
        })?;
        Ok((stopped, kept.and_then(|fd| i32::try_from(fd).ok()).filter(|&fd| fd >= 0)))
    }

    /// Opens the region by its path, written to `scratch` for that; the kernel's answer.
    fn open(
        &self,
        calls: Calls,
        memory: Memory,
        scratch: u64,
        flags: i32,
    ) -> Result<(Calls, i64), Failed> {
        if memory.write_bytes(scratch, &self.region).is_err() {
            return Ok((calls, -libc::EFAULT as i64));
        }
        calls.call(libc::SYS_open, [scratch, flags as u64, 0, 0, 0, 0])
    }

    /// Is `fd` of process `pid` the region?
    pub fn is_region(&self, pid: i32, fd: i32) -> bool {
        std::fs::metadata(format!("/proc/{pid}/fd/{fd}"))
            .is_ok_and(|file| (file.dev(), file.ino()) == self.file)
    }
}

/// Makes calls for a thread that has just made one by an instruction of its own, with memory of
/// their own at the address that `make` is given. `None` if the kernel refuses that.
fn after_a_call<T>(
    stopped: Stopped,
    make: impl FnOnce(Calls, u64) -> Result<(Calls, T), Failed>,
) -> Result<(Stopped, Option<T>), Failed> {
    /// All but SIGTRAP, which ends each step.
    const ALL: u64 = !(1 << (libc::SIGTRAP - 1));
    const SIZE: u64 = 1 << 16;
    let mask = stopped.mask()?;
    stopped.set_mask(ALL)?;
    let instruction = stopped.registers()?.rip - SYSCALL;
    let calls = Calls::new(stopped, instruction)?;
    let (prot, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let (calls, scratch) =
        calls.call(libc::SYS_mmap, [0, SIZE, prot as u64, flags as u64, u64::MAX, 0])?;
    let (calls, made) = if scratch < 0 {
        (calls, None)
    } else {
        let (calls, made) = make(calls, scratch as u64)?;
        let (calls, _) = calls.call(libc::SYS_munmap, [scratch as u64, SIZE, 0, 0, 0, 0])?;
        (calls, Some(made))
    };
    let stopped = calls.finish()?;
    stopped.set_mask(mask)?;
    Ok((stopped, made))
}

/// Makes a filter for calls from some ranges.
pub type Build = fn(&[Range]) -> Option<Vec<sock_filter>>;

/// The range from the first address to the last where there are too many for a filter.
fn in_ranges(build: Build, ranges: &[Range]) -> Option<Vec<sock_filter>> {
    let start = ranges.iter().map(|r| r.start).min().unwrap_or(0);
    let end = ranges.iter().map(|r| r.end).max().unwrap_or(0);
    build(ranges).or_else(|| build(&[Range { start, end }]))
}

/// Installs a filter, written to `scratch` for that. As root no_new_privs(2const) stays as it is.
fn install(
    calls: Calls,
    memory: Memory,
    scratch: u64,
    filter: Option<Vec<sock_filter>>,
    flags: u64,
) -> Result<(Calls, bool), Failed> {
    const PROGRAM: u64 = 16;
    let Some(filter) = filter else { return Ok((calls, false)) };
    // struct sock_fprog, and the instructions behind it.
    let mut bytes = (filter.len() as u64).to_le_bytes().to_vec();
    bytes.extend((scratch + PROGRAM).to_le_bytes());
    for i in &filter {
        bytes.extend(i.code.to_le_bytes());
        bytes.extend([i.jt, i.jf]);
        bytes.extend(i.k.to_le_bytes());
    }
    if memory.write_bytes(scratch, &bytes).is_err() {
        return Ok((calls, false));
    }
    let flags = flags | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    let arguments = [libc::SECCOMP_SET_MODE_FILTER as u64, flags, scratch, 0, 0, 0];
    let (calls, answer) = calls.call(libc::SYS_seccomp, arguments)?;
    if answer != -libc::EACCES as i64 {
        return Ok((calls, answer == 0));
    }
    let (calls, _) =
        calls.call(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0, 0])?;
    let (calls, answer) = calls.call(libc::SYS_seccomp, arguments)?;
    Ok((calls, answer == 0))
}

/// A place in the memory of a program that has just been executed: far enough below what its stack
/// holds.
fn scratch(calls: Calls, memory: Memory) -> Result<(Calls, u64), Failed> {
    let at = (calls.registers().rsp - 0x4000) & !0xfff;
    Ok((touch(calls, memory, at)?, at))
}

/// Makes the kernel write somewhere in the stack if that is not there yet, which a write by another
/// process does not: it has room for some thousand arguments. Nothing comes of it where the stack
/// may not grow so much.
fn touch(calls: Calls, memory: Memory, at: u64) -> Result<Calls, Failed> {
    match memory.read::<u64>(at) {
        Ok(_) => Ok(calls),
        Err(_) => {
            Ok(calls.call(libc::SYS_rt_sigprocmask, [libc::SIG_BLOCK as u64, 0, at, 8, 0, 0])?.0)
        }
    }
}

/// Where process `pid` has its vDSO.
pub fn vdso_of(pid: i32) -> Option<u64> {
    let auxv = std::fs::read(format!("/proc/{pid}/auxv")).ok()?;
    let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
    auxv.chunks_exact(16).find(|c| word(&c[..8]) == libc::AT_SYSINFO_EHDR).map(|c| word(&c[8..]))
}

/// The program's code. In elapsed mode the vDSO's calls are to get the real time, so it is none of
/// it.
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

/// Mappings that have this letter in what they permit, and their names.
pub fn mappings(pid: i32, permits: char) -> Option<Vec<(Range, String)>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let range = Range { start: hex(start)?, end: hex(end)? };
        fields
            .next()?
            .contains(permits)
            .then(|| (range, fields.nth(3).unwrap_or_default().to_owned()))
    };
    Some(maps.lines().filter_map(parse).collect())
}
