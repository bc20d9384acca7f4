//! A machine that is busy with other things.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Runs `body` while `threads` others compute, all on the first processor that this process may use
/// if `on_first`.
pub fn beside_load<R>(threads: usize, on_first: bool, body: impl FnOnce() -> R) -> R {
    /// Ends the others however the body ends.
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                if on_first {
                    pin_to_first();
                }
                while !stop.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let _ends = Ends(&stop);
        body()
    })
}

fn pin_to_first() {
    // SAFETY: sets of our own; zeroes are the empty one.
    unsafe {
        let (mut all, mut one): (libc::cpu_set_t, libc::cpu_set_t) = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&all), &mut all);
        if let Some(first) = (0..libc::CPU_SETSIZE as usize).find(|&cpu| libc::CPU_ISSET(cpu, &all))
        {
            libc::CPU_SET(first, &mut one);
            libc::sched_setaffinity(0, size_of_val(&one), &one);
        }
    }
}
