//! The seam between the real atomics and loom's, so that parking and quiescence run under a model
//! checker.

#[cfg(loom)]
pub use model::{AtomicI32, AtomicI64, AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU32, AtomicU64};

pub use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// Lets another thread run: a hint to the processor, and a scheduling point in the model.
pub fn spin_hint() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::hint::spin_loop();
}

/// Loom's atomics, with one difference: a sequentially consistent store is an exchange here.
///
/// Loom gives such stores no total order. Two threads that both store before they look at each
/// other could both miss the other's store. An exchange takes its place in the one order of all
/// changes of the word, and x86-64 makes an exchange of such a store anyhow. Loom also remembers
/// only the last access of each word to find what else could have come first: a thread that reads a
/// word and then changes it hides the readers before it. An exchange hides nobody.
#[cfg(loom)]
mod model {
    use std::sync::atomic::Ordering::{self, SeqCst};

    macro_rules! atomics {
        ($($name:ident: $int:ty),*) => {$(
            /// As in `std::sync::atomic`.
            #[derive(Debug)]
            pub struct $name(loom::sync::atomic::$name);

            #[allow(missing_docs)]
            impl $name {
                pub fn new(v: $int) -> $name {
                    $name(loom::sync::atomic::$name::new(v))
                }
                pub fn load(&self, order: Ordering) -> $int {
                    match order {
                        SeqCst => self.0.fetch_or(0, Ordering::Acquire),
                        _ => self.0.load(order),
                    }
                }
                pub fn store(&self, v: $int, order: Ordering) {
                    if order == SeqCst { self.0.swap(v, SeqCst); } else { self.0.store(v, order) }
                }
                pub fn swap(&self, v: $int, order: Ordering) -> $int {
                    self.0.swap(v, order)
                }
                pub fn compare_exchange(
                    &self,
                    old: $int,
                    new: $int,
                    ok: Ordering,
                    not: Ordering,
                ) -> Result<$int, $int> {
                    self.0.compare_exchange(old, new, ok, not)
                }
                pub fn fetch_add(&self, v: $int, order: Ordering) -> $int {
                    self.0.fetch_add(v, order)
                }
                pub fn fetch_sub(&self, v: $int, order: Ordering) -> $int {
                    self.0.fetch_sub(v, order)
                }
                pub fn fetch_and(&self, v: $int, order: Ordering) -> $int {
                    self.0.fetch_and(v, order)
                }
                pub fn fetch_or(&self, v: $int, order: Ordering) -> $int {
                    self.0.fetch_or(v, order)
                }
            }
        )*};
    }

    atomics! { AtomicI32: i32, AtomicI64: i64, AtomicU32: u32, AtomicU64: u64 }
}
