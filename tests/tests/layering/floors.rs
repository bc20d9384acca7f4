//! The floors of each crate: a file uses files of its own floor and of lower ones. And no circle of
//! files is larger than three.

use crate::graph::Graph;
use crate::rule::holds;

/// A circle of so many files is small enough to be read as one.
const LARGEST_CIRCLE: usize = 3;

/// A crate's sources, and its rooms from the lowest floor up: folders and files below `src`. A room
/// with `""` is for all that is in no other.
const FLOORS: [(&str, &[&[&str]]); 6] = [
    ("libidle/posix/src", &[&[""]]),
    (
        "libidle/engine/src",
        &[
            &["sync", "sys", "procfs", "arch", "verdict", "expired", "patience"],
            &["region"],
            // The clock code reads the region's header.
            &["arch/x86_64/vdso"],
            &["statefile"],
            &["schedule"],
            &["keeper", "programs"],
            &["lib"],
        ],
    ),
    ("libidle/look/src", &[&[""]]),
    (
        "libidle/interpose/src",
        &[
            &["shim", "rows", "patience"],
            &["statefile"],
            &["hooks"],
            &["lib", "shared_rows", "stdio_rows", "constructor"],
        ],
    ),
    ("libflux/src", &[&[""], &["session", "rows"], &["lib"]]),
    (
        "launcher/src",
        &[
            &[""],
            &["tracer/arch"],
            &["tracer/ptrace"],
            &["tracer/policy"],
            &["tracer/spin"],
            &["tracer"],
            &["keeper_thread", "reap", "main"],
        ],
    ),
];

/// The floor of a file: that of the room with the longest name that is its beginning.
fn floor(floors: &[&[&str]], file: &str) -> Option<usize> {
    let within =
        |room: &str| room.is_empty() || file == room || file.starts_with(&format!("{room}/"));
    let rooms =
        floors.iter().enumerate().flat_map(|(at, rooms)| rooms.iter().map(move |r| (at, r)));
    rooms.filter(|(_, room)| within(room)).max_by_key(|(_, room)| room.len()).map(|(at, _)| at)
}

#[test]
fn no_circle_of_files_is_larger_than_three() {
    let mut found = Vec::new();
    for (folder, _) in FLOORS {
        let graph = Graph::of(folder);
        let large = graph.circles().into_iter().filter(|circle| circle.len() > LARGEST_CIRCLE);
        for circle in large {
            let mut text = format!("a circle of {} files:", circle.len());
            for &(from, to) in graph.arrows.keys() {
                if circle.contains(&from) && circle.contains(&to) {
                    text += &format!("\n    {}", graph.describe((from, to)));
                }
            }
            found.push((folder.to_owned(), circle.len(), text));
        }
    }
    holds("files in circles", &found);
}

#[test]
fn no_arrow_goes_up() {
    let mut found = Vec::new();
    for (folder, floors) in FLOORS {
        let graph = Graph::of(folder);
        for file in &graph.files {
            if floor(floors, file).is_none() {
                found.push((folder.to_owned(), 1, format!("{file} is on no floor")));
            }
        }
        for &(from, to) in graph.arrows.keys() {
            if floor(floors, &graph.files[from]) < floor(floors, &graph.files[to]) {
                found.push((folder.to_owned(), 1, graph.describe((from, to))));
            }
        }
    }
    holds("arrows up", &found);
}
