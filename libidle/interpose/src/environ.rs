//! The environment of a program about to be executed: it must find this library, the session and its slot, whatever the
//! program has done to its own environment.

use crate::idle;
use crate::scratch::Scratch;
use crate::session::{self, Flavour, find_env};
use engine::slots::Credit;
use libc::c_char;
use std::ffi::CStr;

const PRELOAD: &CStr = c"LD_PRELOAD";

/// An environment array with our four entries in it. Nothing is allocated on the heap: this runs between vfork and exec.
pub struct Environ {
    array: Scratch<*const c_char, 256>,
    /// Long enough for what is usual: what a child of vfork(2) maps stays in its parent for ever.
    text: Scratch<u8, 2048>,
    /// Where our entries go in the array, and where each begins in the text.
    from: usize,
    starts: [usize; 4],
}

impl Environ {
    /// `env` (null counts as empty) with our entries; `credit` is the slot that the new image takes over. `None` when there is no
    /// session, or no memory.
    ///
    /// # Safety
    /// `env` is null or a NULL-terminated array of C strings.
    pub unsafe fn new(env: *const *const c_char, credit: Credit) -> Option<Environ> {
        session::engine()?;
        let mut count = 0;
        // SAFETY: the caller's array, up to its NULL.
        while !env.is_null() && unsafe { !(*env.add(count)).is_null() } {
            count += 1;
        }
        // SAFETY: the caller's array.
        let theirs = unsafe { find_env(env, PRELOAD) }.map_or(&b""[..], |(_, v)| v.to_bytes());
        let library = session::LIBRARY.get().to_bytes();
        let mut numbers = [0u8; 32];
        let session = match session::flavour() {
            Flavour::Flux => session::SESSION.get().to_bytes(),
            Flavour::Idle => idle::session(&mut numbers),
        };
        let names = session::names();
        let mut digits = [0u8; 20];
        let slot = decimal(credit.word(), &mut digits);
        // ld.so separates by colons and by spaces.
        let listed = theirs.split(|&b| b == b':' || b == b' ').any(|path| path == library);
        let preload: [&[u8]; 3] = match (theirs.is_empty(), listed || library.is_empty()) {
            (true, _) => [library, b"", b""],
            (false, true) => [theirs, b"", b""],
            (false, false) => [library, b":", theirs],
        };
        let rows: [(&CStr, [&[u8]; 3]); 4] = [
            (names.session, [session, b"", b""]),
            (names.library, [library, b"", b""]),
            (names.slot, [slot, b"", b""]),
            (PRELOAD, preload),
        ];
        let parts = |row: usize| [rows[row].0.to_bytes(), b"="].into_iter().chain(rows[row].1).chain([&b"\0"[..]]);
        let need = (0..rows.len()).flat_map(parts).map(<[u8]>::len).sum();
        // SAFETY: null pointers and zero bytes are valid.
        let (array, text) = unsafe { (Scratch::zeroed(count + 5)?, Scratch::zeroed(need)?) };
        let mut new = Environ { array, text, from: 0, starts: [0; 4] };
        for i in 0..count {
            // SAFETY: i < count.
            let entry = unsafe { *env.add(i) };
            // SAFETY: an environment string.
            let text = unsafe { CStr::from_ptr(entry) }.to_bytes();
            let mine = rows
                .iter()
                .any(|(name, _)| text.strip_prefix(name.to_bytes()).is_some_and(|rest| rest.starts_with(b"=")));
            if !mine {
                new.array.slice()[new.from] = entry;
                new.from += 1;
            }
        }
        let mut fill = 0;
        for row in 0..rows.len() {
            new.starts[row] = fill;
            for part in parts(row) {
                new.text.slice()[fill..fill + part.len()].copy_from_slice(part);
                fill += part.len();
            }
        }
        Some(new)
    }

    /// The array, NULL-terminated. Its entries point into the value, which must not move between this and their use.
    pub fn pointer(&mut self) -> *const *const c_char {
        for (row, &start) in self.starts.iter().enumerate() {
            self.array.slice()[self.from + row] = self.text.slice()[start..].as_ptr().cast();
        }
        self.array.slice().as_ptr()
    }
}

pub(crate) fn decimal(mut n: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &digits[at..];
        }
    }
}
