//! File times follow the virtual clock.
//!
//! A file system stores the real time at which a file was changed, and goes on to do so: nobody's
//! build tree should be dated in the year 2031 afterwards. What the session's programs see is the
//! virtual time of the change. The region keeps it beside the stored time
//! ([`engine::region::file_times`]).
//!
//! [`changes`] are the calls that change what a path leads to; they are recorded at once. What is
//! written to a descriptor is recorded before the writer's next wait
//! ([`interpose::shim::written_files`]). [`streams`] are libc's `FILE`s. [`show`] are the calls
//! that ask. [`explicit`] are the calls that set times.

pub mod changes;
pub mod confined;
pub mod explicit;
mod inode;
pub mod record;
pub mod show;
pub mod streams;

use inode::Inode;
use interpose::shim::session;
use interpose::shim::written_files;

/// The process is about to end.
pub fn leaves() {
    let Some(engine) = session::own_engine().filter(|_| written_files::wanted()) else { return };
    record::look_at_written();
    streams::each(|fd| {
        if let Some(file) = Inode::of(fd).filter(|file| file.regular) {
            record::last_words(&engine, &file);
        }
    });
}
