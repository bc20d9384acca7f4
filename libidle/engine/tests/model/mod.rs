//! What the models share: a session of one model run, and how far a run is explored.
//!
//! Run them all with `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p engine
//! --release --test 'loom_*'`

#![allow(dead_code)]

use engine::region::layout::Page;
use engine::region::sizes::CLOCKS;
use engine::schedule::reach::Everything;
use engine::{ClockMode, Engine, Kind};
use posix::time::Spec;
use std::ops::Deref;
use std::sync::atomic::Ordering::SeqCst;

/// Checks `model` in every order that takes a processor away from a running thread at most
/// `preemptions` times.
pub fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.max_branches = 50_000;
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = runs.clone();
    builder.check(move || {
        counter.fetch_add(1, SeqCst);
        model();
    });
    // Shown with `--nocapture`: a model that has hardly any orders to try proves nothing.
    println!("{}: {} orders", std::thread::current().name().unwrap_or("model"), runs.load(SeqCst));
}

/// Parks `me` without deciding or sleeping; the other threads of a model stand for whoever runs
/// instead.
pub fn block(engine: Engine, me: usize) {
    let seq = engine.begin_wait(me);
    assert!(engine.publish(me, seq, false));
}

/// A frozen session whose clock starts at 0. It lives as long as one run of a model.
pub struct Session {
    page: *mut Page,
    engine: Engine,
}

impl Session {
    /// An empty session.
    pub fn new() -> Session {
        let page = Box::into_raw(Page::boxed());
        // SAFETY: freed when the session is dropped, which every model does after it has joined its
        // threads.
        let page_ref = unsafe { &*page };
        let engine =
            Engine { page: page_ref, pid: 1, real_now: || 0, process: || 1, reach: &Everything };
        engine.page.init(ClockMode::Frozen, 0, &[Spec { sec: 0, nsec: 0 }; CLOCKS], 1, 0);
        Session { page, engine }
    }

    /// A slot for a thread of the model: busy.
    pub fn thread(&self, birth: u64) -> usize {
        self.engine.page.claim(Kind::Busy, 1, birth as u32, birth).unwrap()
    }

    /// A slot without a thread in the model: parked until `deadline`.
    pub fn sleeper(&self, birth: u64, deadline: u64) -> usize {
        let slot = self.thread(birth);
        let seq = self.engine.begin_wait(slot);
        self.engine.page.post_deadline(slot, deadline, 0);
        assert!(self.engine.publish(slot, seq, false));
        slot
    }

    /// A slot of a thread that is in a wait which only a promise ends.
    pub fn parked(&self, birth: u64) -> usize {
        let slot = self.thread(birth);
        block(self.engine, slot);
        slot
    }

    /// The engine, for a thread of the model.
    pub fn engine(&self) -> Engine {
        self.engine
    }
}

impl Deref for Session {
    type Target = Engine;
    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: from Box::into_raw; the threads that used it have been joined.
            drop(unsafe { Box::from_raw(self.page) });
        }
    }
}
