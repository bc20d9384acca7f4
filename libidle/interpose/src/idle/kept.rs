//! The descriptors by which a tree of processes stays together: the region and the state file. They live as long as the
//! process, are inherited by fork(2) and exec(2), and are hidden from the program like bells ([`crate::bell`]).

use crate::bell;
use crate::environ::decimal;
use engine::statefile;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::SeqCst;

/// How they are duplicated: not close-on-exec.
pub const HOW: i32 = libc::F_DUPFD;

/// The region's; negative: none.
static REGION: AtomicI32 = AtomicI32::new(-1);

/// Is it one of them?
pub fn is(fd: i32) -> bool {
    fd >= 0 && [REGION.load(SeqCst), statefile::descriptor()].contains(&fd)
}

/// Keeps both, which the process has just opened, under high numbers; false if that fails.
pub fn keep(region: i32, file: i32) -> bool {
    let (region, file) = (bell::hide(region, HOW), bell::hide(file, HOW));
    set(region.unwrap_or(-1), file.unwrap_or(-1));
    region.is_some() && file.is_some()
}

/// Both were inherited.
pub fn inherit(region: i32, file: i32) {
    bell::stays_hidden(region);
    if file >= 0 {
        bell::stays_hidden(file);
    }
    set(region, file);
}

fn set(region: i32, file: i32) {
    REGION.store(region, SeqCst);
    statefile::set(file);
}

/// The program has taken number `from`, and what had it is `to` now.
pub fn moved(from: i32, to: i32) {
    if REGION.load(SeqCst) == from {
        REGION.store(to, SeqCst);
    } else if statefile::descriptor() == from {
        statefile::set(to);
    }
}

/// Their numbers as `REGION,FILE`, for the next program image.
pub fn text(into: &mut [u8; 32]) -> &[u8] {
    let mut len = 0;
    let mut put = |text: &[u8]| {
        into[len..len + text.len()].copy_from_slice(text);
        len += text.len();
    };
    put(decimal(REGION.load(SeqCst).max(0) as u64, &mut [0; 20]));
    put(b",");
    put(decimal(statefile::descriptor().max(0) as u64, &mut [0; 20]));
    &into[..len]
}
