//! What `/proc` says of processes. See proc(5).

use look::process::Stat;

fn tasks(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let _ = look::process::tasks(pid, |tid| {
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
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/children")).unwrap_or_default();
            found.extend(children.split_ascii_whitespace().filter_map(|p| p.parse::<u32>().ok()));
        }
    }
    found.retain(|&pid| pid != root && Stat::of_process(pid).is_ok_and(|s| !s.ended()));
    found
}

/// The thread's name, or the process's with `tid` 0.
pub fn name(pid: u32, tid: u32) -> String {
    let tid = if tid == 0 { pid } else { tid };
    std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/comm")).unwrap_or_default().trim().to_owned()
}

/// A process without libflux.so is part of the session now: says so.
pub fn tell_of_stranger(pid: u32) {
    // One that has the library mapped is only late.
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    if !maps.contains("/libflux.so") {
        crate::report::verbose(1, || format!("process {pid} ({}) runs without libflux.so: in real time", name(pid, 0)));
    }
}
