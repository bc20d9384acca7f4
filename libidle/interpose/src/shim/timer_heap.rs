//! When a process's timers expire, the earliest first: a binary heap over their places in the
//! table, which knows where in it each place is. Ten thousand armed timers cost no scan.

use posix::time::Instant;

/// Places; a number of one and a length fit into 16 bits.
pub const PLACES: usize = 32_768;

/// Zeroed it is valid: nothing is due. Memory is used up to the highest place that ever was.
pub struct Due {
    /// Valid where the place is in the heap.
    deadlines: [Instant; PLACES],
    heap: [u16; PLACES],
    /// Index in the heap + 1; 0 for a place that is not in it.
    index: [u16; PLACES],
    len: usize,
}

impl Due {
    /// Nothing.
    #[allow(clippy::new_without_default, reason = "too large for anything but a static")]
    pub const fn new() -> Due {
        Due { deadlines: [Instant::ZERO; PLACES], heap: [0; PLACES], index: [0; PLACES], len: 0 }
    }

    /// When `place` is due; [`Instant::NEVER`] if it is not.
    pub fn get(&self, place: usize) -> Instant {
        if self.index[place] == 0 { Instant::NEVER } else { self.deadlines[place] }
    }

    /// `place` is due then, or not at all with [`Instant::NEVER`].
    pub fn set(&mut self, place: usize, deadline: Instant) {
        let at = match (self.index[place] as usize, deadline.is_never()) {
            (0, true) => return,
            (0, false) => {
                self.len += 1;
                self.len - 1
            }
            (index, true) => return self.take_out(index - 1),
            (index, false) => index - 1,
        };
        self.deadlines[place] = deadline;
        self.place_at(at, place);
        self.settle(at);
    }

    /// The earliest deadline and its place, the lowest of several.
    pub fn first(&self) -> Option<(Instant, usize)> {
        (self.len > 0).then(|| self.key(0))
    }

    /// Nothing is due any more.
    pub fn clear(&mut self) {
        for at in 0..self.len {
            self.index[self.heap[at] as usize] = 0;
        }
        self.len = 0;
    }

    fn key(&self, at: usize) -> (Instant, usize) {
        let place = self.heap[at] as usize;
        (self.deadlines[place], place)
    }

    fn place_at(&mut self, at: usize, place: usize) {
        self.heap[at] = place as u16;
        self.index[place] = at as u16 + 1;
    }

    fn take_out(&mut self, at: usize) {
        self.index[self.heap[at] as usize] = 0;
        self.len -= 1;
        if at < self.len {
            self.place_at(at, self.heap[self.len] as usize);
            self.settle(at);
        }
    }

    /// Moves what is at `at` to where it belongs.
    fn settle(&mut self, mut at: usize) {
        while at > 0 && self.key(at) < self.key((at - 1) / 2) {
            self.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
        while let Some(child) =
            (2 * at + 1..(2 * at + 3).min(self.len)).min_by_key(|&child| self.key(child))
        {
            if self.key(at) < self.key(child) {
                return;
            }
            self.swap(at, child);
            at = child;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        let (at_a, at_b) = (self.heap[a] as usize, self.heap[b] as usize);
        self.place_at(a, at_b);
        self.place_at(b, at_a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_the_lowest_of_several() {
        let mut due = Box::new(Due::new());
        let mut random = 1u64;
        let mut expected = std::collections::BTreeMap::new();
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (place, deadline) = ((random >> 33) as usize % 300, (random >> 50) % 64);
            let deadline = if deadline < 16 { Instant::NEVER } else { Instant::from_ns(deadline) };
            due.set(place, deadline);
            expected.insert(place, deadline);
            assert_eq!(due.get(place), deadline);
            let first = expected
                .iter()
                .filter(|&(_, &d)| !d.is_never())
                .map(|(&place, &d)| (d, place))
                .min();
            assert_eq!(due.first(), first);
        }
        due.clear();
        assert_eq!(due.first(), None);
        assert!((0..300).all(|place| due.get(place).is_never()));
    }
}
