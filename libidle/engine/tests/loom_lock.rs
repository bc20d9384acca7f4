//! The lock: one holder at a time, and a holder that lost it moves no clock. The command is in
//! `model/mod.rs`.
#![cfg(loom)]

mod model;

use engine::region::lock::ClockCell;
use engine::schedule::timerfd::lock::{Token, give_back, try_take};
use engine::sync::{AtomicU32, AtomicU64, SeqCst};
use loom::sync::Arc;
use loom::thread;
use model::check;

#[test]
fn one_holder_at_a_time() {
    check(4, || {
        let (cell, inside) = (Arc::new(ClockCell::new()), Arc::new(AtomicU32::new(0)));
        let enter = |owner: usize, cell: &ClockCell, inside: &AtomicU32| {
            let Some(token) = cell.try_lock(owner, owner as u64) else { return false };
            assert_eq!(inside.fetch_add(1, SeqCst), 0);
            let old = cell.value();
            assert!(cell.commit(token, old, old + 1));
            inside.fetch_add(u32::MAX, SeqCst);
            cell.unlock(token);
            true
        };
        let other = {
            let (cell, inside) = (cell.clone(), inside.clone());
            thread::spawn(move || enter(1, &cell, &inside))
        };
        let mine = enter(2, &cell, &inside);
        let theirs = other.join().unwrap();
        assert!(mine || theirs);
        assert_eq!(cell.value(), mine as u64 + theirs as u64);
    });
}

/// The old holder goes on while the keeper takes the lock, moves the clock and gives the lock back.
#[test]
fn a_broken_lock_moves_no_clock() {
    check(5, || {
        let cell = Arc::new(ClockCell::new());
        let token = cell.try_lock(1, 1).unwrap();
        let old = {
            let cell = cell.clone();
            thread::spawn(move || {
                let moved = cell.commit(token, 0, 100);
                let again = cell.commit(token, cell.value(), cell.value() + 1000);
                cell.unlock(token);
                (moved, again)
            })
        };
        let mine = cell.take_over(token, engine::region::lock::KEEPER, 2);
        if let Some(mine) = mine {
            let now = cell.value();
            assert!(cell.commit(mine, now, now + 1));
            assert_eq!(cell.value(), now + 1, "the clock was moved by two at once");
            assert_eq!(cell.holder(), Some(mine));
            cell.unlock(mine);
        }
        let (moved, again) = old.join().unwrap();
        assert_eq!(cell.holder(), None);
        assert!(moved || !again);
        assert_eq!(
            cell.value(),
            mine.is_some() as u64 + if moved { 100 } else { 0 } + if again { 1000 } else { 0 }
        );
    });
}

/// A timer's lock, whose holder has died, and two who want it: one of them at a time holds it.
#[test]
fn a_timers_lock_has_one_holder() {
    const DEAD: [u32; 3] = [9, 9, 1];
    fn take_turns(word: &AtomicU64, inside: &AtomicU32, tid: u32, dead: Token) {
        loop {
            if let Some(token) = try_take(word, [1, tid, tid], |holder| holder == dead) {
                assert_eq!(inside.fetch_add(1, SeqCst), 0, "two hold it");
                inside.fetch_sub(1, SeqCst);
                assert!(!give_back(word, dead), "the token of an earlier taking");
                assert!(give_back(word, token));
                return;
            }
            engine::sync::spin_hint();
        }
    }
    check(3, || {
        let (word, inside) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU32::new(0)));
        let dead = try_take(&word, DEAD, |_| false).unwrap();
        let other = {
            let (word, inside) = (word.clone(), inside.clone());
            thread::spawn(move || take_turns(&word, &inside, 2, dead))
        };
        take_turns(&word, &inside, 3, dead);
        other.join().unwrap();
        assert!(try_take(&word, [1, 2, 3], |_| false).is_some());
    });
}
