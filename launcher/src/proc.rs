//! What `/proc` says of processes. See proc(5).

use crate::program_kind;
use crate::report::messages;
use look::process::{self, Stat};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::sync::Mutex;

fn tasks(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let _ = process::tasks(pid, |tid| {
        found.push(tid);
        true
    });
    found
}

/// All living processes below `root`, parents first.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        next += 1;
        for tid in tasks(pid) {
            let _ = process::children(pid, tid, |child| {
                found.push(child);
                true
            });
        }
    }
    found.retain(|&pid| pid != root && Stat::of_process(pid).is_ok_and(|s| !s.ended()));
    found
}

/// The session's processes: our descendants but the tracer. The slots do not tell: processes in a
/// PID namespace of their own know themselves by numbers that are strangers' here.
pub fn living(tracer: u32) -> Vec<Pid> {
    let all = descendants(std::process::id()).into_iter().filter(|&pid| pid != tracer);
    all.map(|pid| Pid::from_raw(pid as i32)).collect()
}

/// A file below `/proc`, empty if it cannot be read. By one read, where a standard buffer would
/// take nine.
pub fn text(path: &str) -> String {
    const USUAL: usize = 4096;
    let mut text = String::with_capacity(USUAL);
    if let Ok(file) = File::open(path) {
        // What is no text is nothing.
        let _ = file.take(u64::MAX).read_to_string(&mut text);
    }
    text
}

/// The thread's name, or the process's with `tid` 0.
pub fn name(pid: u32, tid: u32) -> String {
    let tid = if tid == 0 { pid } else { tid };
    text(&format!("/proc/{pid}/task/{tid}/comm")).trim().to_owned()
}

/// A process that never joined the session is part of it now; says so once for each program.
pub fn tell_of_stranger(pid: u32) {
    static TOLD: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    // One that has the library mapped is only late.
    let maps = text(&format!("/proc/{pid}/maps"));
    let name = name(pid, 0);
    let new =
        || TOLD.lock().is_ok_and(|mut told| told.get_or_insert_default().insert(name.clone()));
    if !maps.contains("/libflux.so") && new() {
        messages::verbose(1, || {
            let why = program_kind::why_alone(pid).unwrap_or("it has not loaded libflux.so");
            format!("process {pid} ({name}) runs in real time: {why}")
        });
    }
}

/// What a shell makes of a wait status.
pub fn exit_status(status: i32) -> u8 {
    if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status) as u8
    } else {
        128 + libc::WTERMSIG(status) as u8
    }
}
