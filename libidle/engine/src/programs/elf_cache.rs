//! What is known of program files, for all processes of a session: who executes one wants to know
//! what kind it is, which takes nine system calls to read from the file, and one to see that it is
//! a file that was read before.
//!
//! A word holds a file's identity but for its lowest bits, and there the kind. Words are
//! independent of each other and anything may be overwritten, so there is no lock; two files of one
//! identity are as likely as an error of the memory.

use crate::programs::elf::Program;
use crate::region::layout::Page;
use crate::region::sizes::FILES;
use crate::sync::{AtomicU64, Relaxed};

/// Kinds by what is stored for them; 0 is an empty word.
const KINDS: [Program; 6] = [
    Program::Shimmed,
    Program::ShimmedRaw,
    Program::ShimmedAsan,
    Program::Static,
    Program::OtherLibc,
    Program::Foreign,
];
/// Bits for the kind.
const KIND: u64 = 7;

/// What tells a version of a file from all others: a hash of its device, inode, size and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity(u64);

impl Identity {
    /// Of these properties.
    pub fn new(properties: &[u64]) -> Identity {
        Identity(properties.iter().fold(0, |hash, &word| {
            let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^ (mixed >> 32)
        }))
    }
}

/// The files of a session.
#[derive(Clone, Copy)]
pub struct Known<'a>(&'a [AtomicU64; FILES]);

impl Page {
    /// What is known of program files.
    pub fn known(&self) -> Known<'_> {
        Known(&self.files)
    }
}

impl Known<'_> {
    fn word(&self, file: Identity) -> &AtomicU64 {
        &self.0[(file.0 >> 32) as usize % FILES]
    }

    /// What kind of program it is, if that is known.
    pub fn get(&self, file: Identity) -> Option<Program> {
        let word = self.word(file).load(Relaxed);
        let kind = (word & KIND).checked_sub(1).filter(|_| word & !KIND == file.0 & !KIND)?;
        KINDS.get(kind as usize).copied()
    }

    /// It is that kind of program.
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
