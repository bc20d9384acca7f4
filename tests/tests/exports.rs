//! libflux.so and libidle.so export their hooks and nothing else, and every hook of their tables is exported.
//!
//! A stray export would take a name away from the program; a missing one would let the program pass by.

use flux_tests::{artifacts, workspace_root};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The names of the rows in `LIBRARY/src/rows.rs`: one a line, `fn NAME(…) -> … = path;`.
fn rows(library: &str) -> BTreeSet<String> {
    let path = workspace_root().join(library).join("src/rows.rs");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fn "))
        .map(|rest| {
            let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            rest[..end.expect("a row goes on after its name")].to_owned()
        })
        .collect();
    // The variadic exec functions cannot be written as rows: `exec_lists!(execl = …, execlp = …)`.
    for list in text.split("exec_lists!(").skip(1) {
        let list = list.split(')').next().unwrap_or(list);
        names.extend(list.split(',').filter_map(|item| Some(item.split_once(" =")?.0.trim().to_owned())));
    }
    let set: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(set.len(), names.len(), "a name has two rows");
    assert!(set.len() > 50, "these cannot be all: {set:?}");
    set
}

/// What the dynamic linker finds in the library.
fn exports(library: &Path) -> BTreeSet<String> {
    let output = Command::new("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(library)
        .output()
        .expect("nm is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let names = text.lines().filter_map(|line| line.split(' ').next());
    // A symbol with a version is printed as name@version or name@@version.
    names.map(|name| name.split('@').next().unwrap_or(name).to_owned()).collect()
}

#[test]
fn the_exports_are_the_rows() {
    for (name, library) in [("libflux", &artifacts().libflux), ("libidle", &artifacts().libidle)] {
        let (rows, exports) = (rows(name), exports(library));
        let missing: Vec<_> = rows.difference(&exports).collect();
        let stray: Vec<_> = exports.difference(&rows).collect();
        assert!(missing.is_empty(), "rows of {name} that are not exported: {missing:?}");
        assert!(stray.is_empty(), "exports of {name} without a row: {stray:?}");
    }
}

#[test]
fn libidle_leaves_time_alone() {
    let (flux, idle) = (rows("libflux"), rows("libidle"));
    assert!(
        idle.iter().all(|name| !name.contains("time") || name.contains("timed") || name == "semtimedop"),
        "{idle:?}"
    );
    for name in ["poll", "sem_wait", "pthread_cond_clockwait", "read", "fork", "syscall"] {
        assert!(idle.contains(name) && flux.contains(name), "no row for {name}");
    }
}

#[test]
fn the_families_are_all_there() {
    let rows = rows("libflux");
    for name in [
        "clock_gettime",
        "nanosleep",
        "poll",
        "epoll_wait",
        "pthread_cond_timedwait",
        "sem_timedwait",
        "read",
        "pthread_create",
        "fork",
        "syscall",
    ] {
        assert!(rows.contains(name), "no row for {name}");
    }
}
