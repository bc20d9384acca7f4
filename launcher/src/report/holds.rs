//! What is said of named holds ([`engine::region::named_holds`]): who holds the clock, and at `-v`
//! what held it and for how long.

use crate::report::messages;
use crate::report::summary::duration;
use crate::session::{Session, real_now};
use engine::Page;
use engine::region::sizes::HOLDS;
use std::sync::atomic::Ordering::SeqCst;

/// Names in the summary.
const NAMED: usize = 8;

/// The name of the hold `index`, which any program may have written.
pub fn name(page: &Page, index: usize) -> String {
    let name = page.named[index % HOLDS].name();
    let text = name.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect()
}

/// The process that has begun it, if it says.
pub fn owner(page: &Page, index: usize) -> Option<u32> {
    Some(page.named[index % HOLDS].pid.load(SeqCst)).filter(|&pid| pid != 0)
}

/// The line of the summary, if anybody has held the clock.
pub fn say(session: &Session) {
    let page = session.engine.page;
    let (made, ns) = page.hold_times.so_far(real_now());
    if made != 0 {
        messages::verbose(1, || format!("{}, {} real: {}", holds(made), duration(ns), names(page)));
    }
}

fn holds(count: u32) -> String {
    if count == 1 { "1 hold".to_owned() } else { format!("{count} holds") }
}

/// Names and counts, the most frequent first.
fn names(page: &Page) -> String {
    let mut all: Vec<(String, u32)> = vec![];
    for (index, hold) in page.named.iter().enumerate() {
        let count = hold.count.load(SeqCst);
        let name = name(page, index);
        match all.iter_mut().find(|one| one.0 == name) {
            _ if count == 0 => {}
            Some(one) => one.1 = one.1.saturating_add(count),
            None => all.push((name, count)),
        }
    }
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    let mut text: Vec<_> =
        all.into_iter().map(|(name, count)| format!("{name} ({count})")).collect();
    if more != 0 {
        text.push(format!("and {more} more"));
    }
    text.join(", ")
}
