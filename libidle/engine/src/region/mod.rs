//! What the processes of a session share: the layout of the region, and what can be said of each
//! part of it by itself. Nothing here decides anything: see [`crate::schedule`].

pub mod busy_set;
pub mod clock;
pub mod forced;
pub mod keeper_word;
pub mod layout;
pub mod lock;
pub mod slot;
pub mod state;
pub mod wait_kind;
