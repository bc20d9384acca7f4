//! The ELF cache: the kinds of program files, for all processes of a session. To find out the kind
//! of a file takes nine system calls. To see that it is a file that was read before takes one.
//!
//! A word holds a file's identity, and in its lowest bits the kind. Words are independent of each
//! other and anything may be overwritten, so there is no lock. Two files with one identity are as
//! unlikely as an error of the memory.

use crate::programs::elf::Program;
use crate::region::layout::Page;
use crate::region::sizes::FILES;
use crate::sync::{AtomicU64, Relaxed};

/// The stored number of each kind; 0 is an empty word.
const KINDS: [Program; 6] = [
    Program::Shimmed,
    Program::ShimmedRaw,
    Program::ShimmedAsan,
    Program::Static,
    Program::OtherLibc,
    Program::Foreign,
];
/// Number of bits for the kind.
const KIND: u64 = 7;

/// Identifies a version of a file: a hash of its device, inode, size and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity(u64);

impl Identity {
    /// From these properties.
    pub fn new(properties: &[u64]) -> Identity {
        Identity(properties.iter().fold(0, |hash, &word| {
            let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^ (mixed >> 32)
        }))
    }
}

/// The cache of a session.
#[derive(Clone, Copy)]
pub struct Known<'a>(&'a [AtomicU64; FILES]);

impl Page {
    /// The session's ELF cache.
    pub fn known(&self) -> Known<'_> {
        Known(&self.files)
    }
}

impl Known<'_> {
    fn word(&self, file: Identity) -> &AtomicU64 {
        &self.0[(file.0 >> 32) as usize % FILES]
    }

    /// The file's kind of program, if the cache has it.
    pub fn get(&self, file: Identity) -> Option<Program> {
        let word = self.word(file).load(Relaxed);
        let kind = (word & KIND).checked_sub(1).filter(|_| word & !KIND == file.0 & !KIND)?;
        KINDS.get(kind as usize).copied()
    }

    /// Stores the file's kind of program.
    pub fn put(&self, file: Identity, program: Program) {
        let kind = KINDS.iter().position(|&kind| kind == program).unwrap_or(KINDS.len());
        self.word(file).store((file.0 & !KIND) | (kind as u64 + 1), Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_and_nothing_else() {
        let words = [const { AtomicU64::new(0) }; FILES];
        let known = Known(&words);
        let file = |inode| Identity::new(&[1, inode, 4096, 5, 6]);
        for inode in 0..1000 {
            assert_eq!(known.get(file(inode)), None);
            let program = KINDS[inode as usize % KINDS.len()];
            known.put(file(inode), program);
            assert_eq!(known.get(file(inode)), Some(program));
        }
        assert_eq!(known.get(Identity::new(&[1, 999, 4096, 5, 7])), None);
        assert_eq!(known.get(Identity::new(&[0; 5])), None);
    }
}
