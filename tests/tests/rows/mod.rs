//! The rows of the libraries: which names they export.

use flux_tests::workspace_root;
use std::collections::BTreeSet;
use std::fs;

/// What both libraries have.
const SHARED: [&str; 2] =
    ["libidle/interpose/src/shared_rows.rs", "libidle/interpose/src/stdio_rows.rs"];

/// The names of the rows in `LIBRARY/src/rows.rs` and of those that both libraries have: one a
/// line, `fn NAME(…) -> … = path;`.
pub fn names(library: &str) -> BTreeSet<String> {
    let read = |path: &str| {
        let path = workspace_root().join(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let text = read(&format!("{library}/src/rows.rs")) + &SHARED.map(read).concat();
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fn "))
        .map(|rest| {
            let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            rest[..end.expect("a row goes on after its name")].to_owned()
        })
        // A macro's `fn $name`.
        .filter(|name| !name.is_empty())
        .collect();
    // Variadic functions cannot be written as rows: `exec_lists!(execl = …, execlp = …)`.
    for list in text.split("_lists!(").skip(1) {
        let list = list.split(')').next().unwrap_or(list);
        names.extend(
            list.split(',').filter_map(|item| Some(item.split_once(" =")?.0.trim().to_owned())),
        );
    }
    let set: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(set.len(), names.len(), "a name has two rows");
    assert!(set.len() > 50, "these cannot be all: {set:?}");
    set
}
