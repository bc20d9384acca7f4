//! When the session's programs have changed files, by the virtual clock.
//!
//! A file system stores real times. For each file that a program of the session changes, the region
//! keeps pairs of a real time and the virtual one to show for it. Whoever asks for the times of the
//! file later looks the stored time up. A stored time that is not in the table is shown as it is:
//! the file was changed before the session, or by somebody outside.
//!
//! Writers take no lock. A pair has a check word, so a reader takes no half of one pair and half of
//! another; it then shows the stored time. An entry is found by a hash of 64 bits of the file's
//! device and inode numbers. If all places for a hash are taken, the entry there gives way: its
//! file is shown with its real times again.

use crate::sync::{AtomicU64, Relaxed, SeqCst};

/// Files that the table remembers.
#[cfg(not(loom))]
pub const FILE_TIMES: usize = 65_536;
/// In the model.
#[cfg(loom)]
pub const FILE_TIMES: usize = 1;
/// Places where an entry may be, from the one that its hash says.
const PROBES: usize = 8;

/// A time of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// Of the last access.
    Access = 0,
    /// Of the last change of the contents.
    Modify = 1,
    /// Of the last change of the inode.
    Change = 2,
    /// Of the creation.
    Birth = 3,
}

/// A stored time and the one to show for it, ns since 1970.
#[repr(C)]
struct Pair {
    real: AtomicU64,
    shown: AtomicU64,
    check: AtomicU64,
}

const fn check(real: u64, shown: u64) -> u64 {
    real.rotate_left(23) ^ shown ^ 0x9e37_79b9_7f4a_7c15
}

impl Pair {
    #[cfg(any(loom, test))]
    fn new() -> Pair {
        Pair { real: AtomicU64::new(0), shown: AtomicU64::new(0), check: AtomicU64::new(0) }
    }

    fn set(&self, real: i64, shown: i64) {
        let (real, shown) = (real as u64, shown as u64);
        self.real.store(real, SeqCst);
        self.shown.store(shown, SeqCst);
        self.check.store(check(real, shown), SeqCst);
    }

    fn get(&self) -> Option<(i64, i64)> {
        let (real, shown) = (self.real.load(SeqCst), self.shown.load(SeqCst));
        (self.check.load(SeqCst) == check(real, shown)).then_some((real as i64, shown as i64))
    }
}

/// What is known of one file.
#[repr(C)]
pub struct Entry {
    /// [`key`] of the file; 0: free.
    key: AtomicU64,
    times: [Pair; 4],
    /// From this real time on, the file's times are those of a process that was about to write its
    /// buffers and end.
    last_words: Pair,
}

/// The table.
#[repr(C)]
pub struct FileTimes {
    /// How many entries were ever made.
    count: AtomicU64,
    entries: [Entry; FILE_TIMES],
}

/// The key of a file.
pub fn key(device: (u32, u32), inode: u64) -> u64 {
    let mut x = inode ^ ((device.0 as u64) << 32 | device.1 as u64).rotate_left(17);
    // The finalizer of SplitMix64: a bijection, so two inodes of one device never share a key.
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ x >> 31).max(1)
}

impl FileTimes {
    /// An empty one.
    #[cfg(any(loom, test))]
    #[allow(clippy::new_without_default, reason = "one is only ever part of a region")]
    pub fn new() -> FileTimes {
        use std::array::from_fn;
        FileTimes {
            count: AtomicU64::new(0),
            entries: from_fn(|_| Entry {
                key: AtomicU64::new(0),
                times: from_fn(|_| Pair::new()),
                last_words: Pair::new(),
            }),
        }
    }

    /// Is there anything in it?
    #[inline]
    pub fn any(&self) -> bool {
        self.count.load(Relaxed) != 0
    }

    fn places(&self, key: u64) -> impl Iterator<Item = &Entry> {
        (0..PROBES).map(move |i| &self.entries[(key as usize).wrapping_add(i) % FILE_TIMES])
    }

    /// What is known of the file.
    #[inline]
    pub fn find(&self, key: u64) -> Option<&Entry> {
        self.places(key).find(|entry| entry.key.load(SeqCst) == key)
    }

    /// The entry of the file, made if there is none.
    fn claim(&self, key: u64) -> &Entry {
        for entry in self.places(key) {
            let seen = entry.key.load(SeqCst);
            if seen == key {
                return entry;
            }
            if seen == 0 {
                self.count.fetch_add(1, SeqCst);
                match entry.key.compare_exchange(0, key, SeqCst, SeqCst) {
                    Ok(_) => return entry,
                    Err(now) if now == key => return entry,
                    Err(_) => {}
                }
            }
        }
        let entry = &self.entries[key as usize % FILE_TIMES];
        entry.key.store(key, SeqCst);
        entry
    }

    /// The file's time `which` is stored as `real` and to be shown as `shown`, ns since 1970.
    pub fn record(&self, key: u64, which: Which, real: i64, shown: i64) {
        self.claim(key).times[which as usize].set(real, shown);
    }

    /// A process ends at `shown`. What its buffers hold is written to the file after the real time
    /// `real`.
    pub fn record_last_words(&self, key: u64, real: i64, shown: i64) {
        self.claim(key).last_words.set(real, shown);
    }
}

impl Entry {
    /// What to show for the stored time `real`; `None`: the time is not known.
    pub fn shown(&self, which: Which, real: i64) -> Option<i64> {
        self.recorded(which, real).or_else(|| {
            let written = matches!(which, Which::Modify | Which::Change);
            let last = self.last_words.get();
            last.filter(|&(from, _)| written && from != 0 && real >= from).map(|(_, shown)| shown)
        })
    }

    /// The same, without the last words of a process.
    pub fn recorded(&self, which: Which, real: i64) -> Option<i64> {
        self.times[which as usize].get().filter(|&(at, _)| at == real).map(|(_, shown)| shown)
    }

    /// The latest change of the file that is known, as it is shown.
    pub fn last_change(&self) -> Option<i64> {
        let shown = |which: Which| self.times[which as usize].get().map(|(_, shown)| shown);
        shown(Which::Modify).max(shown(Which::Change))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn table() -> Box<FileTimes> {
        // SAFETY: every field is an atomic integer, for which zero is a valid value.
        unsafe { Box::<FileTimes>::new_zeroed().assume_init() }
    }

    fn shown(table: &FileTimes, key: u64, which: Which, real: i64) -> Option<i64> {
        table.find(key)?.shown(which, real)
    }

    #[test]
    fn what_was_recorded_is_shown() {
        let (table, file) = (table(), key((8, 1), 77));
        assert!(!table.any());
        assert_eq!(shown(&table, file, Which::Modify, 5), None);
        table.record(file, Which::Modify, 5, 500);
        assert!(table.any());
        assert_eq!(shown(&table, file, Which::Modify, 5), Some(500));
        assert_eq!(shown(&table, file, Which::Modify, 6), None, "changed by somebody else since");
        assert_eq!(shown(&table, file, Which::Change, 5), None);
        assert_eq!(shown(&table, key((8, 1), 78), Which::Modify, 5), None);
        assert_eq!(table.find(file).and_then(Entry::last_change), Some(500));
        table.record(file, Which::Modify, 5, 501);
        assert_eq!(shown(&table, file, Which::Modify, 5), Some(501), "the same tick, later");
    }

    #[test]
    fn last_words_count_from_their_time_on() {
        let (table, file) = (table(), key((8, 1), 77));
        table.record(file, Which::Modify, 5, 500);
        table.record_last_words(file, 8, 900);
        assert_eq!(shown(&table, file, Which::Modify, 5), Some(500));
        assert_eq!(shown(&table, file, Which::Modify, 7), None);
        assert_eq!(shown(&table, file, Which::Modify, 9), Some(900));
        assert_eq!(shown(&table, file, Which::Access, 9), None);
    }

    #[test]
    fn a_half_written_pair_is_not_shown() {
        let pair = Pair::new();
        assert_eq!(pair.get(), None);
        pair.set(1, 2);
        pair.shown.store(3, SeqCst);
        assert_eq!(pair.get(), None);
    }

    #[test]
    fn a_full_table_gives_way() {
        let table = table();
        let keys: Vec<u64> = (0..2 * FILE_TIMES as u64).map(|inode| key((8, 1), inode)).collect();
        for (at, &file) in keys.iter().enumerate() {
            table.record(file, Which::Modify, 1, at as i64);
            assert_eq!(shown(&table, file, Which::Modify, 1), Some(at as i64));
        }
        let kept = keys.iter().enumerate();
        let wrong = kept.filter(|&(at, &file)| {
            shown(&table, file, Which::Modify, 1).is_some_and(|shown| shown != at as i64)
        });
        assert_eq!(wrong.count(), 0);
    }
}
