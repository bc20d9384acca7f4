//! The table of entry points says the truth: it has the names that are exported, and each is in a guest that it names.

use flux_tests::workspace_root;
use std::collections::BTreeSet;
use std::fs;

mod rows;

/// A line of the table: names, tier, guests.
struct Line {
    names: Vec<String>,
    tier: String,
    guests: Vec<String>,
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace_root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn lines() -> Vec<Line> {
    let text = read("libflux/ENTRY-POINTS.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| **"));
    rows.skip(2)
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').collect();
            assert_eq!(cells.len(), 3, "{line}");
            Line { names: quoted(cells[0]), tier: cells[1].trim().to_owned(), guests: quoted(cells[2]) }
        })
        .collect()
}

#[test]
fn the_table_has_each_exported_name_once() {
    let mut named = BTreeSet::new();
    for name in lines().into_iter().flat_map(|line| line.names) {
        assert!(named.insert(name.clone()), "{name} is there twice");
    }
    let rows = rows::names("libflux");
    let missing: Vec<_> = rows.difference(&named).collect();
    let stale: Vec<_> = named.difference(&rows).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:?}; not exported: {stale:?}");
}

#[test]
fn each_name_has_a_tier_and_a_guest_that_says_it() {
    for line in lines() {
        let names = &line.names;
        assert!(!line.tier.is_empty() && !line.guests.is_empty(), "{names:?}: {} {:?}", line.tier, line.guests);
        let texts: Vec<_> = line.guests.iter().map(|guest| read(&format!("tests/guests/{guest}"))).collect();
        let word =
            |text: &String, name: &str| text.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|w| w == name);
        for name in names {
            assert!(texts.iter().any(|text| word(text, name)), "{name}: none of {:?} has it", line.guests);
        }
    }
}
