//! The keeper's two words in the region. One wakes the keeper, the other says that it is dead.
//!
//! The first word says whether the keeper wants to be kicked. It becomes [`ATTENTIVE`] *before* the
//! keeper looks, and the keeper sleeps only while the word is unchanged. So a thread that blocks
//! after it was seen busy finds the word attentive and kicks, or the keeper saw it blocked. No kick
//! is lost.

use crate::region::layout::Page;
use crate::sync::SeqCst;
use crate::sys;

/// The keeper sleeps or looks, and wants to be kicked.
pub const ATTENTIVE: u32 = 0;
/// The keeper has been kicked.
pub const KICKED: u32 = 1;
/// The keeper will look by itself very soon.
pub const BACKOFF: u32 = 2;

/// A bit of [`crate::region::layout::Header::keeper_lives`]. The kernel sets it in the moment in
/// which the keeper's thread dies (set_robust_list(2)).
pub const DIED: u32 = 0x4000_0000;

/// Does the keeper want to be kicked?
#[inline]
pub fn attentive(page: &Page) -> bool {
    page.header.keeper.load(SeqCst) == ATTENTIVE
}

/// Wakes the keeper if it is attentive.
pub fn kick(page: &Page) {
    let word = &page.header.keeper;
    if word.compare_exchange(ATTENTIVE, KICKED, SeqCst, SeqCst).is_ok() {
        sys::futex_wake(word, 1, false);
    }
}

/// Wakes the keeper also where it would look by itself soon.
pub fn recall(page: &Page) {
    if page.header.keeper.swap(KICKED, SeqCst) != KICKED {
        sys::futex_wake(&page.header.keeper, 1, false);
    }
}

impl Page {
    /// Has the keeper's thread died, and the launcher with it?
    #[inline]
    pub fn abandoned(&self) -> bool {
        self.header.keeper_lives.load(SeqCst) & DIED != 0
    }
}
