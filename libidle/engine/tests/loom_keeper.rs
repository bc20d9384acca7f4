//! The keeper: no kick is lost. Its sleep has no end of its own in the model, so a lost one shows
//! as a deadlock. The command is in `model/mod.rs`.
#![cfg(loom)]

mod model;

use engine::keeper::rounds::{self, Event};
use engine::region::layout::Page;
use engine::region::state::State;
use engine::schedule::look::{Found, Look};
use engine::sync::{AtomicU32, SeqCst};
use engine::{Engine, Kind, Reason, Signals};
use loom::sync::Arc;
use loom::thread;
use model::{Session, block, check};
use posix::time::NEVER;

/// The kernel's word on the one thread that is in a kernel wait: how often it has begun to run or
/// to sleep; it sleeps when that is odd.
struct Kernel {
    count: Arc<AtomicU32>,
    seen: u32,
}

impl Look for Kernel {
    fn first(&mut self, _: &Page, _: usize, seen: State) -> Found {
        self.seen = self.count.load(SeqCst);
        if seen.kind() == Kind::Kernel && self.seen % 2 == 1 {
            Found::Asleep
        } else {
            Found::Running
        }
    }
    fn confirm(&mut self, _: &Page, _: usize, seen: State) -> bool {
        seen.kind() == Kind::Kernel && self.count.load(SeqCst) == self.seen
    }
}

/// A keeper that ends with the first jump.
fn keeper(engine: Engine, asleep: Arc<AtomicU32>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        rounds::run(
            engine,
            &mut Kernel { count: asleep, seen: 0 },
            |_, _| {},
            |event| event != Event::Jump,
        )
    })
}

/// The threads of most models, by their slots; [`B`] only in some.
const A: usize = 0;
const B: usize = 1;

/// Beside a sleeper and a keeper, `then` leaves all threads blocked: the keeper moves the clock.
/// Before the keeper starts, `first` is done with the threads, which are busy. `count` is what the
/// kernel says of the one that will be in its waits.
fn all_block(
    preemptions: usize,
    threads: u64,
    count: u32,
    first: fn(Engine),
    then: fn(Engine, &AtomicU32),
) {
    check(preemptions, move || {
        let session = Session::new();
        for birth in 1..=threads {
            session.thread(birth);
        }
        session.sleeper(threads + 1, 100);
        let engine = session.engine();
        first(engine);
        let count = Arc::new(AtomicU32::new(count));
        let keeper = keeper(engine, count.clone());
        then(engine, &count);
        keeper.join().unwrap();
        assert_eq!(engine.now(), 100);
    });
}

/// The last thread to block does so in the kernel.
#[test]
fn a_kernel_wait_is_looked_at() {
    all_block(
        3,
        1,
        0,
        |_| (),
        |engine, asleep| {
            engine.enter_kernel(A);
            asleep.store(1, SeqCst);
        },
    );
}

/// The same with a deadline of its own.
#[test]
fn a_timed_kernel_wait_is_looked_at() {
    check(3, || {
        let session = Session::new();
        let (a, b) = (session.thread(1), session.thread(2));
        let engine = session.engine();
        let asleep = Arc::new(AtomicU32::new(1));
        // So that the thread cannot decide by itself.
        engine.enter_kernel(b);
        let keeper = keeper(engine, asleep);
        assert!(engine.enter_kernel_until(a, 100, || true).is_some());
        keeper.join().unwrap();
        assert_eq!(engine.now(), 100);
        assert_eq!(engine.leave_kernel(a, Kind::Busy, true), Reason::TimedOut);
    });
}

/// The last thread to block parks, beside one in the kernel that only the keeper can look at.
#[test]
fn a_decision_left_to_the_keeper_is_taken() {
    check(3, || {
        let session = Session::new();
        let (a, b) = (session.thread(1), session.thread(2));
        session.sleeper(3, 100);
        let engine = session.engine();
        let asleep = Arc::new(AtomicU32::new(0));
        engine.enter_kernel(b);
        let seq = engine.begin_wait(a);
        let sleeper = {
            let asleep = asleep.clone();
            thread::spawn(move || {
                asleep.store(1, SeqCst);
                assert_eq!(engine.park(a, seq, NEVER, Signals::Ignore, true, None), Reason::Woken);
            })
        };
        rounds::run(
            engine,
            &mut Kernel { count: asleep, seen: 0 },
            |_, _| {},
            |event| event != Event::Jump,
        );
        assert_eq!(engine.now(), 100);
        engine.wake(a, seq, Reason::Woken);
        sleeper.join().unwrap();
    });
}

/// A thread is seen in the kernel, comes out, wakes another and goes in again, while the keeper
/// looks.
#[test]
fn a_thread_between_two_kernel_waits_is_busy() {
    all_block(
        3,
        2,
        0,
        |engine| block(engine, B),
        |engine, asleep| {
            engine.enter_kernel(A);
            engine.leave_kernel(A, Kind::Busy, false);
            let seq = engine.page.slots[B].state.load().seq();
            assert!(engine.wake(B, seq, Reason::Woken));
            engine.enter_kernel(A);
            asleep.store(1, SeqCst);
            // From here on slot b stands for the thread that was woken.
            assert_eq!(engine.now(), 0, "time has passed while the promised thread was busy");
            block(engine, B);
            engine.after_blocking(B);
        },
    );
}

/// A thread that the keeper has seen on its way to sleep comes back, and goes into a second wait.
#[test]
fn a_second_kernel_wait_is_looked_at() {
    all_block(
        4,
        1,
        0,
        |_| (),
        |engine, asleep| {
            engine.enter_kernel(A);
            engine.leave_kernel(A, Kind::Busy, false);
            assert_eq!(engine.now(), 0);
            engine.enter_kernel(A);
            asleep.store(1, SeqCst);
        },
    );
}

/// A busy thread wakes one in a kernel wait (it writes to a pipe) and blocks at once.
#[test]
fn a_thread_woken_through_the_kernel_is_seen() {
    all_block(
        4,
        2,
        1,
        |engine| engine.enter_kernel(A),
        |engine, asleep| {
            asleep.store(2, SeqCst);
            block(engine, B);
            engine.after_blocking(B);
            // From here on this is thread a, which the kernel has made run.
            assert_eq!(engine.now(), 0, "time has passed though a thread was awake");
            engine.leave_kernel(A, Kind::Busy, false);
            engine.enter_kernel(A);
            asleep.store(3, SeqCst);
        },
    );
}
