//! What stdio's streams have in their buffers: will a call find what it needs there, or ask the
//! kernel, where it may wait?
//!
//! glibc's `FILE` begins with the same fields since 2.0, because programs were compiled with macros
//! that know them. They are read here without the stream's lock. So another thread may change them
//! meanwhile, and a question may get the wrong answer: then the keeper finds the thread asleep in a
//! call that no hook saw, or a thread is marked as waiting that does not wait. Neither is more than
//! a loss of time. What the buffer holds is looked at only where nobody else can free it.

use crate::next;
use engine::arch::thread_pointer;
use libc::{FILE, c_char, c_int, c_void};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI32, AtomicUsize};

/// So many bytes or letters are enough room for what a formatted call writes: of one that writes
/// more the keeper finds out that it waits.
pub const FORMATTED: usize = 512;

/// Of the flags.
const UNBUFFERED: i32 = 2;
const LINE_BUFFERED: i32 = 0x200;
const PUTTING: i32 = 0x800;

/// The beginning of glibc's `FILE` (`struct _IO_FILE`). Pointers are numbers here.
#[repr(C)]
pub struct Stream {
    flags: AtomicI32,
    read_at: AtomicUsize,
    read_end: AtomicUsize,
    read_base: AtomicUsize,
    write_base: AtomicUsize,
    write_at: AtomicUsize,
    write_end: AtomicUsize,
    buffer: AtomicUsize,
    buffer_end: AtomicUsize,
    /// What was pushed back and a former buffer; markers; the next stream.
    others: [usize; 5],
    descriptor: AtomicI32,
    flags2: i32,
    old_offset: i64,
    column: [u8; 8],
    lock: AtomicUsize,
    offset: i64,
    codecvt: usize,
    wide: AtomicUsize,
}

const _: () = assert!(std::mem::offset_of!(Stream, descriptor) == 112);
const _: () = assert!(std::mem::offset_of!(Stream, wide) == 160);

/// The lock of a stream (`_IO_lock_t`).
#[repr(C)]
struct Lock {
    word: AtomicI32,
    count: i32,
    owner: AtomicUsize,
}

/// The beginning of what a stream of wide characters has beside (`struct _IO_wide_data`).
#[repr(C)]
struct Wide {
    read_at: AtomicUsize,
    read_end: AtomicUsize,
    read_base: usize,
    write_base: AtomicUsize,
    write_at: AtomicUsize,
    write_end: AtomicUsize,
}

/// How much lies between two addresses of a buffer; 0 if they are not in that order.
fn between(from: &AtomicUsize, to: &AtomicUsize) -> usize {
    to.load(Relaxed).saturating_sub(from.load(Relaxed))
}

impl Stream {
    /// The stream of a program.
    ///
    /// # Safety
    /// An open stream of glibc's. The reference is for the call that has got it.
    #[inline(always)]
    pub unsafe fn of<'a>(stream: *mut FILE) -> &'a Stream {
        // SAFETY: glibc's FILE begins with these fields.
        unsafe { &*stream.cast::<Stream>() }
    }

    /// Has it a descriptor? Others call functions of the program's own, or have their bytes in
    /// memory.
    pub fn is_of_a_descriptor(&self) -> bool {
        self.descriptor.load(Relaxed) >= 0
    }

    /// Its descriptor.
    pub fn descriptor(&self) -> c_int {
        self.descriptor.load(Relaxed)
    }

    /// Does no other thread hold its lock?
    #[inline(always)]
    fn is_free(&self) -> bool {
        let lock = self.lock.load(Relaxed) as *const Lock;
        // SAFETY: a stream has its lock for as long as it is open, or none.
        let Some(lock) = (unsafe { lock.as_ref() }) else { return true };
        lock.word.load(Relaxed) == 0 || lock.owner.load(Relaxed) == thread_pointer()
    }

    /// Will a call that reads `n` bytes find them in the buffer?
    #[inline(always)]
    pub fn has(&self, n: usize) -> bool {
        between(&self.read_at, &self.read_end) >= n && self.is_free()
    }

    /// Will a call that reads up to the byte `stop` find it in the buffer?
    #[inline(always)]
    pub fn has_line(&self, stop: u8) -> Ready {
        self.looks(Held::No, |bytes| has_byte(bytes, stop))
    }

    /// The same of a line of at most `n` bytes, its zero included.
    #[inline(always)]
    pub fn has_text(&self, n: c_int, held: Held) -> Ready {
        let most = n.saturating_sub(1).max(0) as usize;
        self.looks(held, |bytes| {
            has_byte(&bytes[..most.min(bytes.len())], b'\n') || bytes.len() >= most
        })
    }

    /// Will a call that reads by this format find what it needs in the buffer? Yes if it has as
    /// many words, each with something after it, as the format has words or conversions.
    ///
    /// # Safety
    /// A C string.
    #[inline]
    pub unsafe fn has_words(&self, format: *const c_char, held: Held) -> Ready {
        let (mut words, mut conversions, mut before) = (0, 0, b' ');
        let mut at = format.cast::<u8>();
        // SAFETY: the caller's string, up to its NUL.
        while let byte @ 1.. = unsafe { *at } {
            words += (before.is_ascii_whitespace() && !byte.is_ascii_whitespace()) as usize;
            conversions += (byte == b'%') as usize;
            before = byte;
            at = at.wrapping_add(1);
        }
        // A space at its end takes all that there are, up to something else.
        let mut wanted = words.max(conversions) + before.is_ascii_whitespace() as usize;
        self.looks(held, |bytes| {
            let mut before = b' ';
            bytes.iter().any(|&byte| {
                wanted -= (wanted != 0
                    && byte.is_ascii_whitespace()
                    && !before.is_ascii_whitespace()) as usize;
                before = byte;
                wanted == 0
            })
        })
    }

    /// Nobody knows: the call will ask the kernel.
    pub fn asks(&self) -> bool {
        false
    }

    /// Is it being written to?
    pub fn writes(&self) -> bool {
        self.flags.load(Relaxed) & PUTTING != 0
    }

    /// What `asks` says of the bytes to be read; no, if another thread is at them. If yes, the
    /// stream stays locked.
    #[inline(always)]
    fn looks(&self, held: Held, asks: impl FnOnce(&[u8]) -> bool) -> Ready {
        let file = std::ptr::from_ref(self).cast_mut().cast::<FILE>();
        let locks = held == Held::No && !alone();
        if between(&self.read_at, &self.read_end) == 0
            || locks && next!(ftrylockfile: fn(*mut FILE) -> c_int)(file) != 0
        {
            return false.into();
        }
        let locked = if locks { Some(Locked(file)) } else { None };
        let (at, n) = (self.read_at.load(Relaxed), between(&self.read_at, &self.read_end));
        // SAFETY: the bytes that have been read and not been taken yet, in a buffer that no other
        // thread changes: there is none, or this one has the lock, or its caller vouches for that.
        let yes = n != 0 && asks(unsafe { std::slice::from_raw_parts(at as *const u8, n) });
        Ready { yes, _locked: locked.filter(|_| yes) }
    }

    /// Will a call that writes `n` bytes only put them into the buffer? No of a stream whose buffer
    /// is written at each end of a line.
    #[inline(always)]
    pub fn takes(&self, n: usize) -> bool {
        // Such a stream has no end of what may be written before its bytes.
        between(&self.write_at, &self.write_end) > n && self.is_free()
    }

    /// The same of one byte.
    #[inline(always)]
    pub fn takes_byte(&self, byte: c_int) -> bool {
        self.takes(1) || self.takes_part_of_line(byte)
    }

    fn takes_part_of_line(&self, byte: c_int) -> bool {
        self.flags.load(Relaxed) & (UNBUFFERED | LINE_BUFFERED | PUTTING) == LINE_BUFFERED | PUTTING
            && byte as u8 != b'\n'
            && between(&self.write_at, &self.buffer_end) > 1
            && self.is_free()
    }

    /// Is there nothing to be written?
    pub fn is_written(&self) -> bool {
        between(&self.write_base, &self.write_at) == 0 && self.is_free()
    }

    fn wide(&self) -> Option<&Wide> {
        // SAFETY: a stream has this for as long as it is open, or not at all.
        unsafe { (self.wide.load(Relaxed) as *const Wide).as_ref() }
    }

    /// Will a call that reads a wide character find it in the buffer?
    pub fn has_wide(&self) -> bool {
        self.wide().is_some_and(|wide| between(&wide.read_at, &wide.read_end) != 0)
            && self.is_free()
    }

    /// Will a call that writes `n` wide characters only put them into the buffer?
    pub fn takes_wide(&self, n: usize) -> bool {
        self.wide().is_some_and(|wide| {
            between(&wide.write_at, &wide.write_end) / size_of::<libc::wchar_t>() > n
        }) && self.is_free()
    }
}

/// A stream's answer. If it is yes because of what is in the buffer, the stream is locked for as
/// long as this lives, and the call locks it once more, which is cheap.
pub struct Ready {
    yes: bool,
    _locked: Option<Locked>,
}

impl Ready {
    /// Will the call not ask the kernel?
    #[inline(always)]
    pub fn is_yes(&self) -> bool {
        self.yes
    }
}

impl From<bool> for Ready {
    #[inline(always)]
    fn from(yes: bool) -> Ready {
        Ready { yes, _locked: None }
    }
}

struct Locked(*mut FILE);

impl Drop for Locked {
    #[inline]
    fn drop(&mut self) {
        next!(funlockfile: fn(*mut FILE) -> ())(self.0);
    }
}

#[inline(always)]
fn has_byte(bytes: &[u8], byte: u8) -> bool {
    // SAFETY: so many bytes.
    unsafe { !libc::memchr(bytes.as_ptr().cast(), byte as c_int, bytes.len()).is_null() }
}

/// Does the caller hold the stream's lock, as whoever uses the functions that end in `_unlocked`
/// says?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Not yet.
    No,
    /// It does, or it is alone.
    Yes,
}

/// Has the process one thread only, as far as libc knows? (A thread that libc does not know uses no
/// stream.) `__libc_single_threaded` is there from glibc 2.32 on.
#[inline]
fn alone() -> bool {
    /// Not asked yet, not there, or the variable's address.
    static AT: AtomicUsize = AtomicUsize::new(0);
    const NOT_THERE: usize = 1;
    let at = match AT.load(Relaxed) {
        0 => {
            let name = c"__libc_single_threaded".as_ptr();
            // SAFETY: a C string.
            let at = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name) }.cast::<c_void>() as usize;
            AT.store(at.max(NOT_THERE), Relaxed);
            at.max(NOT_THERE)
        }
        at => at,
    };
    // SAFETY: libc's variable, a char.
    at != NOT_THERE && unsafe { (at as *const u8).read_volatile() } != 0
}
