//! Parking: no wake-up is lost between a promise and the sleep that it ends, and none ends the
//! wrong wait. The command is in `model/mod.rs`.
#![cfg(loom)]

mod model;

use engine::sync::{AtomicU32, SeqCst};
use engine::{Kind, Reason, Signals};
use loom::sync::Arc;
use loom::thread;
use model::{Session, block, check};
use posix::time::NEVER;

/// A semaphore as the hooks make one: the waiter says where it is to be found and then looks at the
/// value, the poster adds to the value and then looks for a waiter.
fn posted_semaphore(local: bool) {
    check(3, move || {
        let session = Session::new();
        let (sleeper, poster) = (session.thread(1), session.thread(2));
        let (value, waiter) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let engine = session.engine();
        let waits = {
            let (value, waiter) = (value.clone(), waiter.clone());
            thread::spawn(move || {
                let state = &engine.page.slots[sleeper].state;
                let seq = engine.begin_wait(sleeper);
                waiter.store(seq, SeqCst);
                if value.load(SeqCst) != 0 {
                    engine.set_own(sleeper, Kind::Busy);
                } else {
                    assert_eq!(
                        engine.park(sleeper, seq, NEVER, Signals::Ignore, local, None),
                        Reason::Woken
                    );
                    assert_eq!(value.load(SeqCst), 1);
                }
                assert_eq!(state.load().kind(), Kind::Busy);
            })
        };
        value.store(1, SeqCst);
        let seq = waiter.load(SeqCst);
        if seq != 0 {
            engine.wake(sleeper, seq, Reason::Woken);
        }
        // The poster blocks, so that the waiter's decision meets one that is not there to take it.
        block(engine, poster);
        engine.after_blocking(poster);
        waits.join().unwrap();
        assert_eq!(engine.now(), 0);
    });
}

#[test]
fn a_post_reaches_a_waiter_of_another_process() {
    posted_semaphore(false);
}

#[test]
fn a_post_reaches_a_waiter_of_the_same_process() {
    posted_semaphore(true);
}

#[test]
fn one_of_two_wakers_wins() {
    check(3, || {
        let session = Session::new();
        let (engine, slot) = (session.engine(), session.thread(1));
        let seq = engine.begin_wait(slot);
        let wakers: Vec<_> = [Reason::Woken, Reason::Cancelled]
            .map(|reason| thread::spawn(move || engine.wake(slot, seq, reason).then_some(reason)))
            .into();
        let parked = engine.publish(slot, seq, false);
        let won: Vec<_> = wakers.into_iter().filter_map(|w| w.join().unwrap()).collect();
        let state = engine.page.slots[slot].state.load();
        assert_eq!(won, [state.reason()], "parked: {parked}");
        assert_eq!(state.kind(), Kind::Busy);
    });
}

#[test]
fn a_late_promise_ends_no_later_wait() {
    check(3, || {
        let session = Session::new();
        let (engine, slot) = (session.engine(), session.thread(1));
        let first = engine.begin_wait(slot);
        let late = thread::spawn(move || engine.wake(slot, first, Reason::Cancelled));
        let ended = !engine.publish(slot, first, false) || !engine.wake(slot, first, Reason::Woken);
        let second = engine.begin_wait(slot);
        assert!(engine.publish(slot, second, false), "nobody has promised the second wait");
        assert_eq!(late.join().unwrap(), ended);
        let state = engine.page.slots[slot].state.load();
        assert_eq!((state.kind(), state.seq()), (Kind::Parked, second));
    });
}
