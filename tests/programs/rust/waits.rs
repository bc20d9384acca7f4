//! Every way in which a Rust program waits without help from libc: std goes through
//! `syscall(SYS_futex, …)`.
//!
//! `waits CASE UNIT SLACK`, in seconds; see `python/units.py`.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;

#[path = "watch.rs"]
mod watch;
use watch::{Watch, units};

fn sleep() {
    let mut watch = Watch::start();
    thread::sleep(units(1));
    watch.expect("thread::sleep", 1);
    watch.restart();
    let sleepers = [1, 3, 2].map(|n| thread::spawn(move || thread::sleep(units(n))));
    for sleeper in sleepers {
        sleeper.join().expect("no panic");
    }
    watch.expect("three sleeping threads", 3);
}

fn condvar() {
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let (number, changed) = &*pair;
    let mut watch = Watch::start();
    let guard = number.lock().expect("not poisoned");
    // `wait_timeout` alone may wake spuriously.
    let (guard, result) =
        changed.wait_timeout_while(guard, units(1), |number| *number == 0).expect("not poisoned");
    drop(guard);
    watch.expect(&format!("timed out {}", result.timed_out()), 1);

    watch.restart();
    let notifier = thread::spawn({
        let pair = pair.clone();
        move || {
            for _ in 0..3 {
                thread::sleep(units(1));
                *pair.0.lock().expect("not poisoned") += 1;
                pair.1.notify_one();
            }
        }
    });
    let guard = number.lock().expect("not poisoned");
    let (guard, result) =
        changed.wait_timeout_while(guard, units(9), |number| *number < 3).expect("not poisoned");
    drop(guard);
    watch.expect(&format!("timed out {}", result.timed_out()), 3);
    notifier.join().expect("no panic");
}

fn channels() {
    let (sender, receiver) = channel();
    let mut watch = Watch::start();
    assert_eq!(receiver.recv_timeout(units(1)), Err(RecvTimeoutError::Timeout));
    watch.expect("recv_timeout timed out", 1);
    watch.restart();
    let producer = thread::spawn(move || {
        for number in 0..3 {
            thread::sleep(units(1));
            sender.send(number).expect("the receiver lives");
        }
    });
    let received: Vec<i32> = (0..3).map_while(|_| receiver.recv_timeout(units(9)).ok()).collect();
    watch.expect(&format!("received {received:?}"), 3);
    producer.join().expect("no panic");
    assert_eq!(receiver.recv_timeout(units(9)), Err(RecvTimeoutError::Disconnected));
    watch.expect("disconnected at once", 3);
}

fn park() {
    let mut watch = Watch::start();
    // No one unparks this thread, but a spurious return is allowed.
    while watch.elapsed() < units(1) {
        thread::park_timeout(units(1).saturating_sub(watch.elapsed()));
    }
    watch.expect("park_timeout", 1);
    let main = thread::current();
    watch.restart();
    let unparker = thread::spawn(move || {
        thread::sleep(units(2));
        main.unpark();
    });
    while watch.elapsed() < units(2) {
        thread::park_timeout(units(9));
    }
    watch.expect("unparked", 2);
    unparker.join().expect("no panic");
}

/// A mutex whose holder sleeps, a barrier whose last thread comes late, a scope whose thread
/// sleeps.
fn others() {
    let mutex = Arc::new(Mutex::new(()));
    let together = Arc::new(Barrier::new(2));
    let mut watch = Watch::start();
    let holder = thread::spawn({
        let (mutex, together) = (mutex.clone(), together.clone());
        move || {
            let guard = mutex.lock().expect("not poisoned");
            together.wait();
            thread::sleep(units(2));
            drop(guard);
            thread::sleep(units(1));
            together.wait();
        }
    });
    together.wait();
    drop(mutex.lock().expect("not poisoned"));
    watch.expect("mutex", 2);
    together.wait();
    watch.expect("barrier", 3);
    holder.join().expect("no panic");
    watch.restart();
    thread::scope(|scope| {
        scope.spawn(|| thread::sleep(units(1)));
    });
    watch.expect("scope", 1);
}

fn main() {
    match watch::case().as_str() {
        "sleep" => sleep(),
        "condvar" => condvar(),
        "channels" => channels(),
        "park" => park(),
        "others" => others(),
        case => panic!("no case {case}"),
    }
}
