//! How a rule is told to be broken.

/// Fails with all that breaks a rule: where, for how many it counts, and what it is.
#[track_caller]
pub fn holds(rule: &str, broken: &[(String, usize, String)]) {
    let lines: Vec<_> = broken.iter().map(|(place, _, what)| format!("{place}: {what}")).collect();
    let count: usize = broken.iter().map(|&(_, count, _)| count).sum();
    println!("{rule}: {count}");
    assert!(broken.is_empty(), "{rule}: {count}\n{}", lines.join("\n"));
}
