//! The environment of a program about to be executed: it must find this library, the session and
//! its slot, whatever the program has done to its own environment.

use crate::shim::library::library;
use crate::shim::scratch::Scratch;
use crate::shim::session::{self, find_env};
use engine::procfs::decimal;
use engine::programs::elf::Program;
use engine::programs::preload::{Form, Order};
use engine::schedule::births::Credit;
use libc::c_char;
use posix::names::{ASAN_OPTIONS, LD_PRELOAD, Name};
use posix::session_name::LONGEST;
use std::ffi::CStr;

/// An environment array with our entries in it. Nothing is allocated on the heap: this runs between
/// vfork and exec.
pub struct Environ {
    array: Scratch<*const c_char, 256>,
    /// Long enough for what is usual: what a child of vfork(2) maps stays in its parent for ever.
    text: Scratch<u8, 2048>,
    /// Where our entries go in the array, and where each begins in the text.
    from: usize,
    starts: [usize; ROWS],
    rows: usize,
}

/// Our entries.
const ROWS: usize = 5;
/// The last but one, which like the last is not always there.
const PRELOAD_ROW: usize = 3;

impl Environ {
    /// `env` (null counts as empty) with our entries, for `program` to start with; `credit` is the
    /// slot that it takes over. `None` when there is no session, or no memory.
    ///
    /// # Safety
    /// `env` is null or a NULL-terminated array of C strings.
    #[unsafe(link_section = ".text.interpose")]
    pub unsafe fn new(
        env: *const *const c_char,
        credit: Credit,
        program: Option<Program>,
    ) -> Option<Environ> {
        session::engine()?;
        let mut count = 0;
        // SAFETY: an array that ends with a NULL, up to there.
        while !env.is_null() && unsafe { !(*env.add(count)).is_null() } {
            count += 1;
        }
        // SAFETY: the same array.
        let old =
            |name: Name| unsafe { find_env(env, name.c()) }.map_or(&b""[..], |(_, v)| v.to_bytes());
        let (theirs, options) = (old(LD_PRELOAD), old(ASAN_OPTIONS));
        let path = session::LIBRARY.get().to_bytes();
        let mut numbers = [0u8; LONGEST];
        let session = library().session_of_next_image(&mut numbers);
        let own = library().names();
        let mut digits = [0u8; 20];
        let slot = decimal(credit.word(), &mut digits);
        let form = Form::of(program);
        let names = [own.session, own.library, own.slot, LD_PRELOAD, ASAN_OPTIONS];
        let names = &names[..if Order::matters(program, theirs) { ROWS } else { ROWS - 1 }];
        let value = |row: usize, put: &mut dyn FnMut(&[u8])| match row {
            0 => put(session),
            1 => put(path),
            2 => put(slot),
            PRELOAD_ROW => form.value(path, theirs, &mut |piece| put(piece)),
            _ => Order::value(options, &mut |piece| put(piece)),
        };
        let length = |row: usize| {
            let mut sum = 0;
            value(row, &mut |piece| sum += piece.len());
            sum
        };
        // An empty LD_PRELOAD is none.
        let rows = if length(PRELOAD_ROW) == 0 { PRELOAD_ROW } else { names.len() };
        let need = (0..rows).map(|row| names[row].text().len() + 2 + length(row)).sum();
        // SAFETY: null pointers and zero bytes are valid.
        let (array, text) = unsafe { (Scratch::zeroed(count + ROWS + 1)?, Scratch::zeroed(need)?) };
        let mut new = Environ { array, text, from: 0, starts: [0; ROWS], rows };
        for i in 0..count {
            // SAFETY: i < count.
            let entry = unsafe { *env.add(i) };
            // SAFETY: an environment string.
            let text = unsafe { CStr::from_ptr(entry) }.to_bytes();
            if names.iter().all(|name| name.value_in(text).is_none()) {
                new.array.slice()[new.from] = entry;
                new.from += 1;
            }
        }
        let mut fill = 0;
        for (row, name) in names.iter().enumerate().take(rows) {
            new.starts[row] = fill;
            let text = new.text.slice();
            let mut put = |piece: &[u8]| {
                text[fill..fill + piece.len()].copy_from_slice(piece);
                fill += piece.len();
            };
            put(name.text().as_bytes());
            put(b"=");
            value(row, &mut put);
            put(b"\0");
        }
        Some(new)
    }

    /// The array, NULL-terminated. Its entries point into the value, which must not move between
    /// this and their use.
    pub fn pointer(&mut self) -> *const *const c_char {
        for (row, &start) in self.starts.iter().enumerate().take(self.rows) {
            self.array.slice()[self.from + row] = self.text.slice()[start..].as_ptr().cast();
        }
        self.array.slice().as_ptr()
    }
}
