//! What is known to break a rule, while the code is being moved: a number that may only shrink.

use std::collections::BTreeMap;

/// Where, and how many.
pub type Known = (&'static str, usize);

/// Prints all that was found (where, how many it counts for, what), and fails where there is more
/// than is known.
#[track_caller]
pub fn hold(rule: &str, known: &[Known], found: &[(String, usize, String)]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    known.iter().for_each(|&(place, _)| _ = counts.insert(place, 0));
    for (place, count, what) in found {
        *counts.entry(place).or_default() += count;
        println!("{rule}, {place}: {what}");
    }
    let mut wrong = Vec::new();
    for (place, count) in counts {
        let allowed = known.iter().find(|(name, _)| *name == place).map_or(0, |&(_, n)| n);
        println!("{rule}, {place}: {count}, {allowed} known");
        if count > allowed {
            wrong.push(format!("{place}: {count}, but only {allowed} known"));
        }
        if count < allowed {
            println!("{rule}, {place}: lower what is known to {count}");
        }
    }
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}
