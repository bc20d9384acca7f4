//! Programs of the kernel's packet filter, as seccomp(2) runs them: put together with labels, and
//! installed in a tracee.

use super::failed::Failed;
use super::inject::Calls;
use super::maps::Range;
use super::memory::Memory;
use libc::sock_filter;

/// Takes a word of what the filter is asked about.
pub const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
/// Takes its bits that are in the number.
pub const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
/// Is it the number?
pub const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
/// Is it that or more?
pub const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
/// Has it any of these bits?
pub const BITS: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
/// Jumps in any case.
pub const GO: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
/// Ends with this answer.
pub const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where a jump goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// To the next instruction.
    Next,
    /// To this label.
    Label(usize),
}

/// A program with labels instead of distances. Conditional jumps reach 255 instructions.
#[derive(Default)]
pub struct Assembler {
    code: Vec<(u16, u32, To, To)>,
    labels: Vec<usize>,
}

impl Assembler {
    /// A new label.
    pub fn label(&mut self) -> usize {
        self.labels.push(usize::MAX);
        self.labels.len() - 1
    }

    /// The next instruction has it.
    pub fn here(&mut self, label: usize) {
        self.labels[label] = self.code.len();
    }

    /// An instruction that does not jump.
    pub fn plain(&mut self, code: u16, k: u32) {
        self.code.push((code, k, To::Next, To::Next));
    }

    /// Jumps to `yes` if the comparison holds, else to `no`.
    pub fn jump(&mut self, code: u16, k: u32, yes: To, no: To) {
        self.code.push((code, k, yes, no));
    }

    /// Jumps to a label.
    pub fn go(&mut self, to: usize) {
        self.code.push((GO, 0, To::Label(to), To::Next));
    }

    /// The program; `None` if a jump is too long.
    pub fn finish(self) -> Option<Vec<sock_filter>> {
        let distance = |at: usize, to: To| match to {
            To::Next => Some(0),
            To::Label(label) => self.labels[label].checked_sub(at + 1),
        };
        let assemble = |(at, &(code, k, yes, no)): (usize, &(u16, u32, To, To))| {
            if code == GO {
                return Some(sock_filter { code, jt: 0, jf: 0, k: distance(at, yes)? as u32 });
            }
            let (jt, jf) =
                (u8::try_from(distance(at, yes)?).ok()?, u8::try_from(distance(at, no)?).ok()?);
            Some(sock_filter { code, jt, jf, k })
        };
        self.code.iter().enumerate().map(assemble).collect()
    }
}

/// Makes a filter for calls from some ranges.
pub type Build = fn(&[Range]) -> Option<Vec<sock_filter>>;

/// The range from the first address to the last where there are too many for a filter.
pub fn in_ranges(build: Build, ranges: &[Range]) -> Option<Vec<sock_filter>> {
    let start = ranges.iter().map(|r| r.start).min().unwrap_or(0);
    let end = ranges.iter().map(|r| r.end).max().unwrap_or(0);
    build(ranges).or_else(|| build(&[Range { start, end }]))
}

/// Installs a filter, written to `scratch` for that. As root no_new_privs(2const) stays as it is.
pub fn install(
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
