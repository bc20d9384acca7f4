//! What the heap promises.

use super::*;
use crate::WaitKind;
use crate::region::state::Kind;

fn post(page: &Page, deadline: u64, birth: u64) -> usize {
    let slot = page.claim(Kind::Busy, 1, birth as u32, birth).unwrap();
    page.slots[slot].state.prepare();
    page.post_deadline(slot, deadline, 0);
    slot
}

#[test]
fn earliest_first_ties_by_birth() {
    let page = Page::boxed();
    let order: Vec<u64> = vec![50, 10, 30, 10, 20, 40, 10];
    for (i, &d) in order.iter().enumerate() {
        post(&page, d, 100 - i as u64);
    }
    page.drain_mail(page.arena());
    let mut seen = vec![];
    while let Some((slot, key)) = page.earliest(page.arena()) {
        seen.push((key.deadline, key.birth));
        page.drop_earliest(page.arena(), slot);
    }
    assert_eq!(seen, [(10, 94), (10, 97), (10, 99), (20, 96), (30, 98), (40, 95), (50, 100)]);
}

#[test]
fn later_deadline_needs_no_mail_and_earlier_one_wins() {
    let page = Page::boxed();
    let a = post(&page, 100, 1);
    page.drain_mail(page.arena());
    page.post_deadline(a, 200, 0);
    assert_eq!(page.header.mail.load(Relaxed), 0);
    assert_eq!(page.earliest(page.arena()).unwrap().1.deadline, 200);
    page.post_deadline(a, 50, 0);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().1.deadline, 50);
    page.post_deadline(a, NEVER, 0);
    assert_eq!(page.earliest(page.arena()), None);
    page.post_deadline(a, 70, 0);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().1.deadline, 70);
}

#[test]
fn who_does_not_wait_has_no_deadline() {
    let page = Page::boxed();
    let (a, b) = (post(&page, 10, 1), post(&page, 20, 2));
    page.drain_mail(page.arena());
    page.slots[a].state.set(Kind::Ending);
    assert_eq!(page.earliest(page.arena()).unwrap().0, b);
    // Its next wait finds that nobody holds its deadline.
    page.slots[a].state.prepare();
    page.post_deadline(a, 15, 0);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().0, a);
}

#[test]
fn a_timer_descriptor_has_a_deadline_though_it_never_waits() {
    let page = Page::boxed();
    let timer = page.claim_timer(1, 3, 1, 7).unwrap();
    page.post_deadline(timer, 10, 0);
    post(&page, 20, 1);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().0, timer);
}

#[test]
fn beats_hold_up_no_nap_but_everything_else() {
    let page = Page::boxed();
    let (tick, waiter) = (post(&page, 10, 1), post(&page, 30, 2));
    page.slots[tick].thread().what.store(WaitKind::RuntimeTick as u32, Relaxed);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest_but_ticks(page.arena()).unwrap().0, waiter);
    assert_eq!(page.goal(page.arena()).unwrap().deadline, 10);
    let back_off = post(&page, 20, 3);
    page.slots[back_off].thread().what.store(WaitKind::Spin as u32, Relaxed);
    page.slots[back_off].thread().spin.store(1, Relaxed);
    page.drain_mail(page.arena());
    assert_eq!(page.goal(page.arena()).unwrap().deadline, 20);
    assert_eq!(page.earliest(page.arena()).unwrap().0, tick);
}

#[test]
fn mail_that_goes_in_a_circle_loses_nobody() {
    let page = Page::boxed();
    let a = post(&page, 30, 1);
    let b = post(&page, 20, 2);
    // The arena is another since the first two were posted. The second, still in the mail,
    // takes itself for not posted.
    page.header.arena.store(1, Relaxed);
    page.post_deadline(b, 10, 0);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().0, b);
    page.drop_earliest(page.arena(), b);
    page.slots[b].state.set(Kind::Busy);
    assert_eq!(page.earliest(page.arena()).unwrap().0, a);
    page.post_deadline(a, 5, 0);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().1.deadline, 5);
}

#[test]
fn a_lost_heap_is_rebuilt() {
    let page = Page::boxed();
    for d in [9, 3, 7] {
        post(&page, d, d);
    }
    page.drain_mail(page.arena());
    page.header.arena.store(1, Relaxed);
    page.header.heap_lost.store(1, Relaxed);
    page.drain_mail(page.arena());
    assert_eq!(page.earliest(page.arena()).unwrap().1.deadline, 3);
}
