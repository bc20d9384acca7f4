//! A few bytes of machine code, without an allocator.

/// Bytes in a buffer of fixed size.
pub struct Bytes<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Bytes<N> {
    /// None yet.
    pub const fn new() -> Bytes<N> {
        Bytes { bytes: [0; N], len: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them.
    pub fn get(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Appends `more`; `None` when it does not fit.
    pub fn push(&mut self, more: &[u8]) -> Option<()> {
        self.bytes.get_mut(self.len..self.len + more.len())?.copy_from_slice(more);
        self.len += more.len();
        Some(())
    }

    /// Overwrites what is at `at`.
    pub fn set(&mut self, at: usize, with: &[u8]) -> Option<()> {
        self.bytes[..self.len].get_mut(at..at + with.len())?.copy_from_slice(with);
        Some(())
    }
}

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Bytes<N> {
        Bytes::new()
    }
}
