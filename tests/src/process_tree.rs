//! Ending everything a run started, and saying first what it was doing.
//!
//! A process group is not enough: shells and daemons leave theirs. So the children of children are
//! looked up in /proc, and the root goes last, because once it is gone its orphans can no longer be
//! told from other processes.

use std::fmt::Write as _;
use std::fs;

/// Kills `root`, its process group and all descendants.
pub fn kill_all(root: u32) {
    // Children may fork while they are being killed, hence several rounds.
    for _ in 0..20 {
        let found = descendants(root);
        if found.is_empty() {
            break;
        }
        found.iter().for_each(|&pid| kill(pid as i32));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    kill(root as i32);
    kill_group(root);
}

/// Kills what is left of the process group that `root` led.
pub fn kill_group(root: u32) {
    kill(-(root as i32));
}

fn kill(pid: i32) {
    // SAFETY: kill(2) takes two numbers and touches no memory of ours.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// One line for each thread of the tree: who it is, its state, the syscall it is in.
pub fn describe(root: u32) -> String {
    let mut text = String::new();
    for pid in std::iter::once(root).chain(descendants(root)) {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        let tasks: Vec<_> = tasks.flatten().map(|task| task.path()).collect();
        // A guest with a thousand threads says enough with the first few.
        for task in tasks.iter().take(12) {
            let read = |name: &str| {
                fs::read_to_string(task.join(name)).unwrap_or_default().trim().to_owned()
            };
            let state = read("stat")
                .rsplit(')')
                .next()
                .and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
            let _ = writeln!(
                text,
                "  pid {pid} thread {} {} {} in {} ({})",
                task.file_name().unwrap_or_default().to_string_lossy(),
                read("comm"),
                state.unwrap_or_default(),
                read("syscall"),
                read("wchan"),
            );
        }
        if tasks.len() > 12 {
            let _ = writeln!(text, "  pid {pid} and {} more threads", tasks.len() - 12);
        }
    }
    text
}

fn descendants(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in parentheses may hold anything, so the fields are counted from its end: state,
        // parent.
        let mut fields = stat.rsplit(')').next().unwrap_or("").split_whitespace();
        let zombie = fields.next() == Some("Z");
        if let Some(parent) = fields.next().and_then(|field| field.parse::<u32>().ok()) {
            parents.push((pid, parent, zombie));
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|entry| entry.1 == parent).map(|entry| entry.0));
        next += 1;
    }
    // Zombies stay in the search (their children may live) but cannot be killed again.
    found.retain(|pid| *pid != root && parents.iter().any(|entry| entry.0 == *pid && !entry.2));
    found
}
