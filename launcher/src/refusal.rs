//! Why a command could not be started: its exit status, as env(1) and nohup(1) have it, and a line.

use crate::cli::{NOT_EXECUTABLE, NOT_FOUND, OWN_FAILURE};
use crate::program_kind;
use crate::report::messages::why;
use nix::errno::Errno;
use std::ffi::OsString;
use std::io::{self, ErrorKind};

/// The exit status for the command `words` that could not be started, and what to say.
pub fn of(words: &[OsString], e: &io::Error) -> (u8, String) {
    let name = match words[0].to_string_lossy() {
        name if name.is_empty() => "''".into(),
        name => name,
    };
    let Some(errno) = e.raw_os_error().map(Errno::from_raw) else {
        // A NUL byte, which no word of a command line has.
        return (NOT_EXECUTABLE, format!("{name}: {e}"));
    };
    match errno {
        // What the session lacks says nothing about the command.
        Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE => {
            (OWN_FAILURE, format!("cannot start {name}: {}; see ulimit -u, -n and -v", why(e)))
        }
        _ if e.kind() == ErrorKind::NotFound => match program_kind::find(&words[0]) {
            Some(_) => (NOT_EXECUTABLE, format!("{name}: its interpreter is not there")),
            None => (NOT_FOUND, format!("{name}: command not found{}", hint(words))),
        },
        _ if e.kind() == ErrorKind::PermissionDenied => {
            (NOT_EXECUTABLE, format!("{name}: not executable"))
        }
        _ => (NOT_EXECUTABLE, format!("{name}: {}", why(e))),
    }
}

/// Where a single word looks like a line for a shell: how to give it to one.
fn hint(words: &[OsString]) -> String {
    let [line] = words else { return String::new() };
    let line = line.to_string_lossy();
    if !line.contains([' ', '\t', '\n', ';', '|', '&', '<', '>', '(', '$', '`']) {
        return String::new();
    }
    format!("; a line for a shell? flux-launch -- sh -c '{}'", line.replace('\'', r"'\''"))
}
