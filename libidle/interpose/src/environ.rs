//! The environment of a program about to be executed: it must find this library, the session and its slot, whatever the
//! program has done to its own environment.

use crate::scratch::Scratch;
use crate::session::{self, ENV_LIBRARY, ENV_SESSION, ENV_SLOT, find_env};
use libc::c_char;
use std::ffi::CStr;

const PRELOAD: &CStr = c"LD_PRELOAD";
/// Longest `LD_PRELOAD` of the program's own that is kept beside ours.
const TEXT: usize = 4096;

/// An environment array with our four entries in it. Nothing is allocated on the heap: this runs between vfork and exec.
pub struct Environ {
    array: Scratch<*const c_char, 256>,
    text: Scratch<u8, 1024>,
    /// Where our entries go in the array, and where each begins in the text.
    from: usize,
    starts: [usize; 4],
}

impl Environ {
    /// `env` (null counts as empty) with our entries; `slot` is what the new image takes over. `None` when there is no
    /// session, or no memory.
    ///
    /// # Safety
    /// `env` is null or a NULL-terminated array of C strings.
    pub unsafe fn new(env: *const *const c_char, slot: usize) -> Option<Environ> {
        session::engine()?;
        let mut count = 0;
        // SAFETY: the caller's array, up to its NULL.
        while !env.is_null() && unsafe { !(*env.add(count)).is_null() } {
            count += 1;
        }
        // SAFETY: the caller's array.
        let theirs = unsafe { find_env(env, PRELOAD) }.map_or(&b""[..], |(_, v)| v.to_bytes());
        let need = 3 * 512 + 128 + theirs.len().min(TEXT);
        // SAFETY: null pointers and zero bytes are valid.
        let (array, text) = unsafe { (Scratch::zeroed(count + 5)?, Scratch::zeroed(need)?) };
        let mut new = Environ { array, text, from: 0, starts: [0; 4] };
        let mut fill = 0;
        let ours = [ENV_SESSION, ENV_LIBRARY, ENV_SLOT, PRELOAD];
        for i in 0..count {
            // SAFETY: i < count.
            let entry = unsafe { *env.add(i) };
            // SAFETY: an environment string.
            let text = unsafe { CStr::from_ptr(entry) }.to_bytes();
            let mine = ours.iter().any(|name| {
                let name = name.to_bytes();
                text.len() > name.len() && &text[..name.len()] == name && text[name.len()] == b'='
            });
            if !mine {
                new.array.slice()[new.from] = entry;
                new.from += 1;
            }
        }
        let library = session::LIBRARY.get().to_bytes();
        let mut digits = [0u8; 20];
        let slot = decimal(slot, &mut digits);
        let keep = theirs.len() <= TEXT && !theirs.is_empty();
        let listed = theirs.split(|&b| b == b':' || b == b' ').any(|p| p == library);
        let preload: [&[u8]; 3] = match (keep, listed) {
            (true, true) => [theirs, b"", b""],
            (true, false) => [library, b":", theirs],
            (false, _) => [library, b"", b""],
        };
        let session = session::SESSION.get().to_bytes();
        let rows: [(&CStr, [&[u8]; 3]); 4] = [
            (ENV_SESSION, [session, b"", b""]),
            (ENV_LIBRARY, [library, b"", b""]),
            (ENV_SLOT, [slot, b"", b""]),
            (PRELOAD, preload),
        ];
        for (row, (name, value)) in rows.into_iter().enumerate() {
            new.starts[row] = fill;
            let buffer = new.text.slice();
            for part in [name.to_bytes(), b"="].into_iter().chain(value).chain([&b"\0"[..]]) {
                buffer[fill..fill + part.len()].copy_from_slice(part);
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

fn decimal(mut n: usize, digits: &mut [u8; 20]) -> &[u8] {
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
