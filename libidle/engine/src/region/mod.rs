//! What the processes of a session share: the layout of the region, and what each part of it says
//! by itself. This room decides nothing: see [`crate::schedule`].

pub mod busy_set;
pub mod clock;
pub mod file_times;
pub mod forced;
pub mod forced_set;
pub mod holds;
pub mod idle_word;
pub mod keeper_word;
pub mod layout;
pub mod lock;
pub mod named_holds;
pub mod sizes;
pub mod slot;
pub mod slot_table;
pub mod slot_views;
pub mod state;
pub mod tracer_word;
pub mod wait_kind;
pub mod wake_tracer;
