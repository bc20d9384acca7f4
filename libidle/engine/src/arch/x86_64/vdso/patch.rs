//! Where the new code goes in one vDSO, and how the bytes look.

use crate::arch::vdso::bytes::Bytes;
use crate::arch::vdso::code;
use crate::arch::vdso::image::{Function, Image};
use crate::arch::vdso::prologue::{reach, relocate};
use crate::region::layout::ClockMode;

/// What the clock functions lead to.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Functions of the process itself, at these addresses. They have the vDSO's signatures and
    /// answers (0 or a negated error number; the time).
    Functions {
        /// `int clock_gettime(clockid_t, struct timespec *)`
        clock_gettime: u64,
        /// `int gettimeofday(struct timeval *, struct timezone *)`
        gettimeofday: u64,
        /// `time_t time(time_t *)`
        time: u64,
    },
    /// The session's header, readable at this address, in elapsed mode. A system call that comes
    /// from inside the vDSO must get the real time: the code adds to it.
    Elapsed {
        /// Where [`crate::region::layout::Header`] is mapped in the process.
        header: u64,
    },
    /// The same in frozen mode.
    Frozen {
        /// Where [`crate::region::layout::Header`] is mapped in the process.
        header: u64,
        /// A writable 32-bit word: clock reads of the process since the tracer has set it to 0.
        counter: u64,
        /// The count beyond which each read is a real system call.
        limit: u32,
    },
}

impl Target {
    /// [`Target::Elapsed`] or [`Target::Frozen`].
    pub fn page(mode: ClockMode, header: u64, counter: u64, limit: u32) -> Target {
        match mode {
            ClockMode::Elapsed | ClockMode::Real => Target::Elapsed { header },
            ClockMode::Frozen => Target::Frozen { header, counter, limit },
        }
    }
}

/// A short jump.
const JUMP: usize = 5;
/// The size of a short jump at the beginning of the body, so that the constants behind it are
/// aligned.
const ENTRY: usize = 8;
/// The longest instruction.
const INSTRUCTION: usize = 15;
/// The new code at its longest.
const BODY: usize = 512;

/// The bytes to write.
pub struct Patch {
    base: u64,
    body: (usize, Bytes<BODY>),
    jumps: [Option<(usize, [u8; JUMP])>; 3],
    /// Address of the real `clock_gettime` after the bytes are written.
    pub original: u64,
    /// Is [`Patch::original`] the vDSO's own code, and not the system call?
    pub fast: bool,
}

impl Patch {
    /// For the vDSO `image` that lies at `base`; `None` when it lacks `clock_gettime` or
    /// `gettimeofday`, or there is too little room in the latter.
    pub fn new(image: &Image, base: u64, target: Target) -> Option<Patch> {
        let clock_gettime = image.function("__vdso_clock_gettime").filter(|f| f.size >= JUMP)?;
        let time = image.function("__vdso_time").filter(|f| f.size >= JUMP);
        let room = image.function("__vdso_gettimeofday")?;
        let start = base + room.offset as u64;

        let mut body = Bytes::<BODY>::new();
        // In front is the entry of the old gettimeofday.
        body.push(&[0xcc; ENTRY])?;
        let blob = body.len();
        let entries = match target {
            Target::Functions { clock_gettime, gettimeofday, time } => {
                let mut far = |to: u64| {
                    let at = body.len();
                    // jmp [rip]
                    body.push(&[0xff, 0x25, 0, 0, 0, 0])?;
                    body.push(&to.to_le_bytes())?;
                    Some(at)
                };
                [far(clock_gettime)?, far(gettimeofday)?, far(time)?]
            }
            Target::Elapsed { .. } => place(&mut body, code::elapsed())?,
            Target::Frozen { .. } => place(&mut body, code::frozen())?,
        };
        let at = body.len();
        let fast = original(image, base, clock_gettime, start + at as u64, &mut body).is_some();
        if !fast {
            // mov eax, SYS_clock_gettime; syscall; ret
            body.push(&[0xb8, 228, 0, 0, 0, 0x0f, 0x05, 0xc3])?;
        }
        let original = start + at as u64;
        match target {
            Target::Functions { .. } => {}
            Target::Elapsed { header } => {
                body.set(blob + code::HEADER_AT, &header.to_le_bytes())?;
                body.set(blob + code::OTHER_AT, &original.to_le_bytes())?;
            }
            Target::Frozen { header, counter, limit } => {
                body.set(blob + code::HEADER_AT, &header.to_le_bytes())?;
                body.set(blob + code::OTHER_AT, &counter.to_le_bytes())?;
                body.set(blob + code::LIMIT_AT, &limit.to_le_bytes())?;
            }
        }
        if body.len() > room.size {
            return None;
        }
        let jump = |from: Function, to: usize| {
            let at = base + from.offset as u64;
            let distance = reach(at + JUMP as u64, start + to as u64)?;
            Some((from.offset, [0xe9, distance[0], distance[1], distance[2], distance[3]]))
        };
        let jumps = [
            jump(room, entries[1]),
            jump(clock_gettime, entries[0]),
            time.and_then(|time| jump(time, entries[2])),
        ];
        Some(Patch { base, body: (room.offset, body), jumps, original, fast })
    }

    /// Addresses and bytes, in the order in which to write them: first the new code, then the jumps
    /// to it, of five bytes each. (Until the jumps are written, the old functions must not run.)
    pub fn writes(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let body = std::iter::once((self.body.0 + ENTRY, &self.body.1.get()[ENTRY..]));
        let jumps = self.jumps.iter().flatten().map(|(at, bytes)| (*at, &bytes[..]));
        body.chain(jumps).map(|(at, bytes)| (self.base + at as u64, bytes))
    }
}

fn place(body: &mut Bytes<BODY>, blob: code::Blob) -> Option<[usize; 3]> {
    let at = body.len();
    body.push(blob.bytes())?;
    Some(blob.entries().map(|entry| at + entry))
}

/// Appends the first instructions of `function`, fit to run at `to`, and a jump to those after
/// them. Nothing is appended when that can't be done.
fn original(
    image: &Image,
    base: u64,
    function: Function,
    to: u64,
    body: &mut Bytes<BODY>,
) -> Option<()> {
    let from = base + function.offset as u64;
    let mut moved = Bytes::<{ 2 * (JUMP + INSTRUCTION) }>::new();
    let used = relocate(image.code(function)?, from, to, JUMP, &mut moved)?;
    let distance = reach(to + (moved.len() + JUMP) as u64, from + used as u64)?;
    moved.push(&[0xe9])?;
    moved.push(&distance)?;
    body.push(moved.get())
}
