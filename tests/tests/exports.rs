//! libflux.so and libidle.so export their hooks and nothing else, and every hook of their tables is
//! exported.
//!
//! A stray export would take a name away from the program; a missing one would let the program pass
//! by.

mod rows;

use flux_tests::artifacts;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

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
        let (rows, exports) = (rows::names(name), exports(library));
        let missing: Vec<_> = rows.difference(&exports).collect();
        let stray: Vec<_> = exports.difference(&rows).collect();
        assert!(missing.is_empty(), "rows of {name} that are not exported: {missing:?}");
        assert!(stray.is_empty(), "exports of {name} without a row: {stray:?}");
    }
}

#[test]
fn libidle_leaves_time_alone() {
    let (flux, idle) = (rows::names("libflux"), rows::names("libidle"));
    assert!(
        idle.iter()
            .all(|name| !name.contains("time") || name.contains("timed") || name == "semtimedop"),
        "{idle:?}"
    );
    for name in ["poll", "sem_wait", "pthread_cond_clockwait", "read", "fork", "syscall"] {
        assert!(idle.contains(name) && flux.contains(name), "no row for {name}");
    }
}

#[test]
fn the_families_are_all_there() {
    let rows = rows::names("libflux");
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
