//! Named holds: who holds the clock, and why. While there is one nobody jumps.
//!
//! The owner of a hold keeps a lock on a byte of the region's file, with an open file description
//! of its own (`F_OFD_SETLK`, fcntl(2)). So the kernel says whether the owner still has it,
//! whatever ended the owner, in whatever namespace it was. Who has the lock of a free entry may
//! fill the entry; who finds the lock free may declare the hold over.

use crate::region::holds::NAMED;
use crate::region::layout::Page;
use crate::region::sizes::HOLDS;
use crate::sync::{AtomicI32, AtomicU32, AtomicU64, Relaxed, SeqCst};

/// Nobody's.
pub const FREE: u32 = 0;
/// The hold lasts.
pub const LASTS: u32 = 1;
/// The hold is over, and a frozen clock has not moved by what it took.
pub const OVER: u32 = 2;

/// Room for a name, bytes.
pub const LONGEST: usize = 80;
/// Where the locks are in the region's file: far behind its content.
const LOCKS: i64 = 1 << 40;

/// `struct flock` of fcntl(2).
#[repr(C)]
pub struct FileLock {
    /// `F_WRLCK`, or `F_UNLCK`: nobody has it.
    pub kind: i16,
    whence: i16,
    start: i64,
    len: i64,
    pid: i32,
}

impl FileLock {
    /// The same, to give it up.
    pub fn unlock(self) -> FileLock {
        const F_UNLCK: i16 = 2;
        FileLock { kind: F_UNLCK, ..self }
    }
}

/// The lock of the entry `index`, for `F_OFD_SETLK` and `F_OFD_GETLK`.
pub fn lock_of(index: usize) -> FileLock {
    const F_WRLCK: i16 = 1;
    const SEEK_SET: i16 = 0;
    FileLock { kind: F_WRLCK, whence: SEEK_SET, start: LOCKS + index as i64, len: 1, pid: 0 }
}

/// One hold. An entry that is free keeps its name and count, for the summary.
#[repr(C, align(64))]
pub struct Hold {
    /// [`FREE`], [`LASTS`] or [`OVER`].
    pub state: AtomicU32,
    /// The owner's process.
    pub pid: AtomicU32,
    /// Its descriptor there.
    pub fd: AtomicI32,
    /// Holds so far of that name.
    pub count: AtomicU32,
    /// When it began, real ns.
    pub since: AtomicU64,
    /// The same, virtual ns.
    pub from: AtomicU64,
    /// How long it took, real ns, once it is over.
    pub took: AtomicU64,
    name: [AtomicU64; LONGEST / 8],
}

/// How long anybody held the clock, real time.
#[repr(C, align(64))]
pub struct HoldTimes {
    /// Real ns with at least one hold.
    total: AtomicU64,
    /// Up to when that has been counted, real ns.
    until: AtomicU64,
    /// Holds that last.
    lasting: AtomicU32,
    /// Holds ever begun.
    made: AtomicU32,
}

impl Hold {
    /// Free, and without a name.
    #[cfg(loom)]
    pub fn new() -> Hold {
        Hold {
            state: AtomicU32::new(FREE),
            pid: AtomicU32::new(0),
            fd: AtomicI32::new(0),
            count: AtomicU32::new(0),
            since: AtomicU64::new(0),
            from: AtomicU64::new(0),
            took: AtomicU64::new(0),
            name: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Its name, as bytes that any program may have written.
    pub fn name(&self) -> [u8; LONGEST] {
        let mut bytes = [0; LONGEST];
        for (to, word) in bytes.chunks_exact_mut(8).zip(&self.name) {
            to.copy_from_slice(&word.load(Relaxed).to_ne_bytes());
        }
        bytes
    }

    /// Gives it a name. Another name than before counts from one.
    fn call(&self, name: &[u8; LONGEST]) {
        if self.name() == *name {
            self.count.fetch_add(1, Relaxed);
            return;
        }
        for (from, word) in name.chunks_exact(8).zip(&self.name) {
            let bytes = from.try_into().unwrap_or_default();
            word.store(u64::from_ne_bytes(bytes), Relaxed);
        }
        self.count.store(1, Relaxed);
    }
}

impl HoldTimes {
    /// None so far.
    #[cfg(loom)]
    pub fn new() -> HoldTimes {
        let (u32s, u64s) = (|| AtomicU32::new(0), || AtomicU64::new(0));
        HoldTimes { total: u64s(), until: u64s(), lasting: u32s(), made: u32s() }
    }

    /// Counts up to `real`, before the number of holds changes.
    fn count(&self, real: u64) {
        let since = self.until.load(SeqCst);
        let counts = since < real
            && self.until.compare_exchange(since, real, SeqCst, SeqCst).is_ok()
            && self.lasting.load(SeqCst) != 0;
        if counts {
            self.total.fetch_add(real - since, SeqCst);
        }
    }

    /// Holds begun so far, and real ns up to `real` with at least one.
    pub fn so_far(&self, real: u64) -> (u32, u64) {
        self.count(real);
        (self.made.load(SeqCst), self.total.load(SeqCst))
    }
}

/// A name as an entry has it; `None` if it is empty, too long, or has a slash or a control
/// character.
pub fn name_of(text: &[u8]) -> Option<[u8; LONGEST]> {
    let fits = (1..=LONGEST).contains(&text.len())
        && !text.iter().any(|byte| *byte == b'/' || byte.is_ascii_control());
    let mut name = [0; LONGEST];
    name[..if fits { text.len() } else { 0 }].copy_from_slice(if fits { text } else { b"" });
    fits.then_some(name)
}

impl Page {
    /// Free entries, the best for `name` first: one of that name, then one that never had a name.
    pub fn free_holds(&self, name: &[u8; LONGEST]) -> impl Iterator<Item = usize> {
        let rank = |hold: &Hold| match (hold.name() == *name, hold.count.load(Relaxed)) {
            (true, _) => 0,
            (_, 0) => 1,
            _ => 2,
        };
        let free = |index: &usize| self.named[*index].state.load(SeqCst) == FREE;
        let of_rank = move |wanted| {
            (0..HOLDS).filter(free).filter(move |&index| rank(&self.named[index]) == wanted)
        };
        (0..3).flat_map(of_rank)
    }

    /// The caller has the lock of the entry `index`, which is free: a hold begins, real and virtual
    /// ns. From then on nobody jumps.
    pub fn hold_begins(
        &self,
        index: usize,
        name: &[u8; LONGEST],
        [pid, fd]: [u32; 2],
        [real, now]: [u64; 2],
    ) {
        let hold = &self.named[index];
        hold.call(name);
        hold.pid.store(pid, Relaxed);
        hold.fd.store(fd as i32, Relaxed);
        hold.since.store(real, Relaxed);
        hold.from.store(now, Relaxed);
        self.hold_times.count(real);
        self.hold_times.lasting.fetch_add(1, SeqCst);
        self.hold_times.made.fetch_add(1, SeqCst);
        hold.state.store(LASTS, SeqCst);
        self.hold(NAMED);
    }

    /// The hold `index` is over, at `real` ns. False if somebody else has said so.
    pub fn hold_ends(&self, index: usize, real: u64) -> bool {
        let hold = &self.named[index];
        hold.took.store(real.saturating_sub(hold.since.load(Relaxed)), Relaxed);
        let ended = hold.state.compare_exchange(LASTS, OVER, SeqCst, SeqCst).is_ok();
        if ended {
            self.hold_times.count(real);
            self.hold_times.lasting.fetch_sub(1, SeqCst);
        }
        ended
    }

    /// Entries in that state.
    pub fn holds_in(&self, state: u32) -> impl Iterator<Item = usize> {
        (0..HOLDS).filter(move |&index| self.named[index].state.load(SeqCst) == state)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for bad in [&b""[..], b"a/b", b"a\nb", &[b'x'; LONGEST + 1]] {
            assert_eq!(name_of(bad), None);
        }
        assert_eq!(
            name_of(b"docker exec").map(|name| name[..12].to_vec()),
            Some(b"docker exec\0".to_vec())
        );
    }

    #[test]
    fn times_with_a_hold_are_counted_once() {
        let page = Page::boxed();
        let (a, b) = (name_of(b"a").expect("a name"), name_of(b"b").expect("a name"));
        page.hold_begins(0, &a, [1, 1], [100, 0]);
        page.hold_begins(1, &b, [1, 1], [150, 0]);
        assert!(page.hold_ends(1, 160));
        assert!(!page.hold_ends(1, 170), "once");
        assert!(page.hold_ends(0, 200));
        assert_eq!(page.hold_times.so_far(500), (2, 100));
        assert_eq!(page.holds_in(OVER).count(), 2);
    }
}
