//! What the launcher tells the user: its messages, why time does not jump, and the summary at the
//! end.

pub mod holds;
pub mod messages;
pub mod stall_report;
pub mod still_running;
pub mod summary;
