//! Who runs next: the order of the threads that wait for an instant, and nothing else. Pure, so
//! that the order is the same in every run, on every machine, under any load.

use posix::time::NEVER;

/// What orders waiters: the deadline, then the start of the wait, then the birth key. The birth key
/// is made from the order of creation, so it is the same in every run. The numbers of slots,
/// threads and processes are not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// Absolute virtual ns.
    pub deadline: u64,
    /// Virtual ns at which the wait began.
    pub parked: u64,
    /// See [`crate::region::slot::Slot::birth`].
    pub birth: u64,
}

impl Key {
    /// Does the thread wait for an instant at all?
    pub fn is_timed(self) -> bool {
        self.deadline != NEVER
    }
}

/// Of several waiters, the one that goes on next.
pub fn next(waiting: impl IntoIterator<Item = Option<Key>>) -> Option<Key> {
    waiting.into_iter().flatten().filter(|key| key.is_timed()).min()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn equals_go_by_the_start_of_their_wait_and_then_by_birth() {
        let key = |deadline, parked, birth| Some(Key { deadline, parked, birth });
        assert_eq!(next([key(20, 0, 1), key(10, 5, 1), key(10, 4, 9)]), key(10, 4, 9));
        assert_eq!(next([key(10, 4, 9), None, key(10, 4, 3)]), key(10, 4, 3));
        assert_eq!(next([key(NEVER, 0, 0), None]), None);
    }
}
