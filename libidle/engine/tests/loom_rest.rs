//! Quiescence: nobody decides that all are at rest while somebody is busy or promised, and of those
//! who block last somebody does decide. The command is in `model/mod.rs`.
#![cfg(loom)]

mod model;

use engine::schedule::busy::Busy;
use engine::schedule::look::NoLook;
use engine::sync::{AtomicU32, SeqCst};
use engine::{Engine, Kind, Reason, Signals};
use loom::sync::Arc;
use loom::thread;
use model::{Session, block, check};
use posix::time::NEVER;

fn survey(engine: Engine) -> Result<(), Busy> {
    let token = engine.page.header.clock.try_lock(3, 1).unwrap();
    let survey = engine.survey(engine::region::lock::KEEPER, &mut NoLook);
    engine.page.header.clock.unlock(token);
    survey
}

/// The waker promises and blocks at once. From beginning to end somebody is busy: first it, then
/// the promised one. Both ways round, because the survey goes by slot number.
fn promise_then_block(waker: usize, parked: usize) {
    check(4, move || {
        let session = Session::new();
        for birth in 1..=3 {
            session.thread(birth);
        }
        let engine = session.engine();
        block(engine, parked);
        block(engine, 3 - waker - parked);
        // The parked one has been seen so: it has no bit in the busy set, and its word may have
        // none above it.
        _ = survey(engine);
        let runs = thread::spawn(move || {
            let seq = engine.page.slots[parked].state.load().seq();
            assert!(engine.wake(parked, seq, Reason::Woken));
            block(engine, waker);
        });
        for _ in 0..2 {
            assert!(survey(engine).is_err());
        }
        runs.join().unwrap();
        assert_eq!(survey(engine), Err(Busy::Runs(parked)));
    });
}

#[test]
fn a_promised_thread_before_its_waker_is_seen() {
    promise_then_block(2, 0);
    promise_then_block(1, 0);
}

#[test]
fn a_promised_thread_after_its_waker_is_seen() {
    promise_then_block(0, 2);
    promise_then_block(0, 1);
}

/// Two threads hand being busy to and fro; a third surveys.
#[test]
fn a_baton_is_seen() {
    check(3, || {
        let session = Session::new();
        let (a, b, other) = (session.thread(1), session.parked(2), session.parked(3));
        let engine = session.engine();
        _ = survey(engine);
        let runs = thread::spawn(move || {
            // One thread of the model plays both in turn: only one of them runs at a time.
            for (from, to) in [(a, b), (b, other), (other, a)] {
                let seq = engine.page.slots[to].state.load().seq();
                assert!(engine.wake(to, seq, Reason::Woken));
                block(engine, from);
            }
        });
        assert!(survey(engine).is_err());
        assert!(survey(engine).is_err());
        runs.join().unwrap();
        assert_eq!(survey(engine), Err(Busy::Runs(a)));
    });
}

/// A thread is made and its creator blocks: the credit counts, be it for a new slot or for one used
/// before.
fn credit(reused: bool) {
    check(4, move || {
        let session = Session::new();
        let other = session.thread(1);
        let creator = session.thread(2);
        let engine = session.engine();
        if reused {
            engine.page.release(other);
        } else {
            block(engine, other);
        }
        _ = survey(engine);
        let runs = thread::spawn(move || {
            let child = engine.page.claim(Kind::New, 1, 0, 2).unwrap();
            block(engine, creator);
            child
        });
        assert!(survey(engine).is_err());
        assert!(survey(engine).is_err());
        let child = runs.join().unwrap();
        assert_eq!(child == other, reused);
        assert_eq!(survey(engine), Err(Busy::Runs(child)));
    });
}

#[test]
fn a_credit_in_a_new_slot_is_seen() {
    credit(false);
}

#[test]
fn a_credit_in_a_used_slot_is_seen() {
    credit(true);
}

/// Who holds the lock surveys under it while another blocks: one of the two sees that all are at
/// rest, though the other's note ([`engine::region::layout::Header::rerun`]) may be all that is
/// left of its try.
#[test]
fn of_two_that_block_one_decides() {
    check(3, || {
        let session = Session::new();
        let (a, b) = (session.thread(1), session.thread(2));
        let sleeper = session.sleeper(3, 100);
        let engine = session.engine();
        let other = thread::spawn(move || {
            block(engine, a);
            engine.after_blocking(a);
        });
        block(engine, b);
        engine.after_blocking(b);
        other.join().unwrap();
        assert_eq!(engine.now(), 100, "everybody is blocked, and nobody has moved the clock");
        assert_eq!(engine.page.slots[sleeper].state.load().reason(), Reason::TimedOut);
    });
}

/// Two sleepers, from beginning to end: each wakes at its own deadline, and the clock is nowhere
/// else meanwhile.
#[test]
fn sleepers_wake_in_turn() {
    check(2, || {
        let session = Session::new();
        let (a, b) = (session.thread(1), session.thread(2));
        let engine = session.engine();
        let last = engine.page.slots[a].state.load().seq() + 2;
        let other = thread::spawn(move || {
            let seq = engine.begin_wait(a);
            assert_eq!(engine.park(a, seq, 10, Signals::Ignore, false, None), Reason::TimedOut);
            assert_eq!(engine.now(), 10);
            let seq = engine.begin_wait(a);
            assert_eq!(seq, last);
            assert_eq!(engine.park(a, seq, NEVER, Signals::Ignore, true, None), Reason::Woken);
            assert_eq!(engine.now(), 20);
        });
        let seq = engine.begin_wait(b);
        assert_eq!(engine.park(b, seq, 20, Signals::Ignore, false, None), Reason::TimedOut);
        assert_eq!(engine.now(), 20);
        assert!(engine.wake(a, last, Reason::Woken));
        block(engine, b);
        other.join().unwrap();
        assert_eq!(engine.page.header.jumps.load(SeqCst), 2);
    });
}

/// A hand-over beside a thread that sleeps: the clock stands until both who hand over are blocked
/// for good.
#[test]
fn no_time_passes_in_a_hand_over() {
    check(2, || {
        let session = Session::new();
        let (a, b) = (session.thread(1), session.thread(2));
        session.sleeper(3, 1000);
        let engine = session.engine();
        let handed = Arc::new(AtomicU32::new(0));
        let first = engine.begin_wait(a);
        let other = {
            let handed = handed.clone();
            thread::spawn(move || {
                assert_eq!(
                    engine.park(a, first, NEVER, Signals::Ignore, true, None),
                    Reason::Woken
                );
                assert_eq!(handed.load(SeqCst), 1);
                assert_eq!(
                    engine.now(),
                    0,
                    "time has passed between the promise and the first step"
                );
                block(engine, a);
                engine.after_blocking(a);
            })
        };
        handed.store(1, SeqCst);
        assert!(engine.wake(a, first, Reason::Woken));
        block(engine, b);
        engine.after_blocking(b);
        other.join().unwrap();
        assert_eq!(engine.now(), 1000);
    });
}
