//! Deadlines: none is lost between the thread that posts it and whoever takes deadlines out, and a
//! wait is ended either by its deadline or by a waker. The command is in `model/mod.rs`.
#![cfg(loom)]

mod model;

use engine::sync::SeqCst;
use engine::{Kind, Reason};
use loom::thread;
use model::{Session, check};
use posix::time::NEVER;

/// A thread is woken out of one timed wait and goes into the next, while somebody takes out what is
/// due.
#[test]
fn the_next_deadline_survives_the_end_of_the_last() {
    for next in [10, 15, 20] {
        check(4, move || {
            let session = Session::new();
            let (a, taker) = (session.thread(1), session.thread(2));
            let engine = session.engine();
            let state = &engine.page.slots[a].state;
            let seq = engine.begin_wait(a);
            engine.page.post_deadline(a, 10, 0);
            assert!(engine.publish(a, seq, false));
            engine.page.drain_mail(engine.page.arena());
            let sleeper = thread::spawn(move || {
                let slot = &engine.page.slots[a];
                engine.end_own(a, seq, Reason::Woken);
                slot.deadline.store(NEVER, SeqCst);
                let seq = engine.begin_wait(a);
                engine.page.post_deadline(a, next, 5);
                engine.publish(a, seq, false);
            });
            engine.creep(taker, 10);
            sleeper.join().unwrap();
            for _ in 0..3 {
                engine.creep(taker, 10);
            }
            assert_eq!(state.load().kind(), Kind::Busy, "nobody will ever end this wait");
            assert_eq!(state.load().reason(), Reason::TimedOut);
            assert!(engine.now() >= next);
        });
    }
}

/// A thread that is about to sleep posts an earlier deadline than the one it is known by, while the
/// mail is read.
#[test]
fn an_earlier_deadline_is_taken_in() {
    check(4, || {
        let session = Session::new();
        let (a, b) = (session.thread(1), session.thread(2));
        let engine = session.engine();
        engine.begin_wait(a);
        engine.begin_wait(b);
        engine.page.post_deadline(a, 40, 0);
        let posts = thread::spawn(move || {
            for deadline in [30, NEVER, 20] {
                engine.page.post_deadline(a, deadline, 0);
            }
        });
        engine.page.post_deadline(b, 50, 0);
        engine.page.drain_mail(engine.page.arena());
        let before = engine.page.earliest(engine.page.arena()).map(|(_, key)| key.deadline);
        assert!([Some(20), Some(30), Some(40), Some(50)].contains(&before));
        posts.join().unwrap();
        engine.page.drain_mail(engine.page.arena());
        assert_eq!(
            engine.page.earliest(engine.page.arena()).map(|(slot, key)| (slot, key.deadline)),
            Some((a, 20))
        );
        engine.page.drop_earliest(engine.page.arena(), a);
        engine.page.slots[a].deadline.store(NEVER, SeqCst);
        assert_eq!(
            engine.page.earliest(engine.page.arena()).map(|(slot, key)| (slot, key.deadline)),
            Some((b, 50))
        );
    });
}

/// A deadline comes while the wait is published, and while somebody promises it.
#[test]
fn deadline_or_waker_ends_a_wait() {
    check(4, || {
        let session = Session::new();
        let (a, taker) = (session.thread(1), session.thread(2));
        let engine = session.engine();
        let state = &engine.page.slots[a].state;
        let seq = engine.begin_wait(a);
        let waker = thread::spawn(move || engine.wake(a, seq, Reason::Woken));
        let sleeper = thread::spawn(move || {
            engine.page.post_deadline(a, 10, 0);
            engine.publish(a, seq, false);
        });
        engine.creep(taker, 10);
        let woken = waker.join().unwrap();
        sleeper.join().unwrap();
        let ended = state.load();
        assert_eq!(ended.kind(), Kind::Busy);
        assert_eq!(ended.reason(), if woken { Reason::Woken } else { Reason::TimedOut });
    });
}

/// The same without a waker: the deadline may come between the thread's two steps.
#[test]
fn a_deadline_that_comes_while_the_wait_is_published() {
    check(5, || {
        let session = Session::new();
        let (a, taker) = (session.thread(1), session.thread(2));
        let engine = session.engine();
        let state = &engine.page.slots[a].state;
        let seq = engine.begin_wait(a);
        let sleeper = thread::spawn(move || {
            engine.page.post_deadline(a, 10, 0);
            engine.publish(a, seq, false);
        });
        engine.creep(taker, 10);
        sleeper.join().unwrap();
        for _ in 0..2 {
            engine.creep(taker, 10);
        }
        assert_eq!((state.load().kind(), state.load().reason()), (Kind::Busy, Reason::TimedOut));
    });
}

/// The same in a wait that the kernel ends: either the thread is told not to begin it, or it is in
/// it when it is ended.
#[test]
fn a_deadline_that_comes_before_a_kernel_wait() {
    check(4, || {
        let session = Session::new();
        let (a, taker) = (session.thread(1), session.thread(2));
        let engine = session.engine();
        let takes = thread::spawn(move || engine.creep(taker, 10));
        let sleeps = engine.enter_kernel_until(a, 10, || true).is_some();
        takes.join().unwrap();
        if sleeps {
            engine.creep(taker, 10);
            engine.creep(taker, 10);
            assert_eq!(engine.page.slots[a].state.load().reason(), Reason::TimedOut);
        } else {
            assert!(engine.now() >= 10);
        }
    });
}
