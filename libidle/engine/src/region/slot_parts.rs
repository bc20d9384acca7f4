//! The second cache line of a slot: what it holds depends on what the slot is for. Each kind of
//! slot has a view of its own, in which each field has one meaning.
//!
//! The views lie over each other. Each has twelve fields of the same sizes at the same places, so
//! that no two accesses of one word ever differ in size.

use crate::region::slot::Slot;
use crate::sync::{AtomicI32, AtomicU32, AtomicU64};

macro_rules! views {
    ($($(#[$about:meta])* $view:ident: $Part:ident {
        $($(#[$means:meta])* $field:ident: $word:ident,)*
    })*) => {
        $(
            $(#[$about])*
            #[repr(C)]
            pub struct $Part { $($(#[$means])* pub $field: $word,)* }
        )*

        /// All views.
        #[repr(C)]
        #[cfg(not(loom))]
        pub union Parts { $($view: std::mem::ManuallyDrop<$Part>,)* }

        /// In the model they lie beside each other: its words cannot be overlaid.
        #[cfg(loom)]
        pub struct Parts { $($view: $Part,)* }

        impl Parts {
            /// Of a free slot.
            #[cfg(loom)]
            pub fn new() -> Parts {
                Parts { $($view: $Part { $($field: $word::new(0),)* },)* }
            }
        }

        impl Slot {
            $(
                $(#[$about])*
                #[inline(always)]
                pub fn $view(&self) -> &$Part {
                    #[cfg(not(loom))]
                    // SAFETY: all views consist of atomic integers of the same sizes at the same
                    // places (asserted below). Any bytes are valid for those, and they may be
                    // changed through shared references.
                    unsafe {
                        &self.parts.$view
                    }
                    #[cfg(loom)]
                    &self.parts.$view
                }
            )*
        }

        #[cfg(not(loom))]
        const _: () = {
            const SIZES: [usize; 12] = [4, 4, 8, 4, 4, 8, 8, 8, 4, 4, 4, 4];
            $(
                let sizes = [$(size_of::<$word>()),*];
                let mut at = 0;
                while at < SIZES.len() {
                    assert!(sizes[at] == SIZES[at]);
                    at += 1;
                }
                assert!(sizes.len() == SIZES.len() && size_of::<$Part>() == 64);
            )*
        };
    };
}

views! {
    /// A thread's, and that of a signal handler which waits.
    thread: Thread {
        /// Links of the wait queue that the slot is in, index + 1. Under that queue's lock, own
        /// process only.
        next: AtomicU32,
        /// See [`Thread::next`].
        prev: AtomicU32,
        /// The address that the queue is for. Under the queue's lock.
        queue: AtomicU64,
        /// The eventfd that ends this thread's timed waits for descriptors; 0 if it waits on its
        /// state word, -1 if the session's signal ends the wait. Owner.
        wake_fd: AtomicI32,
        /// Slot index + 1 of the thread that joins this one. The joiner.
        joiner: AtomicU32,
        /// `pthread_t` of the thread, 0 unless it was made by `pthread_create`. Creator and owner,
        /// the same value.
        pthread: AtomicU64,
        /// See [`Handler::wait_sp`].
        _sp: AtomicU64,
        /// When a handler that waits itself interrupted the sleep, virtual ns; 0 if none has.
        /// Owner.
        interrupted_at: AtomicU64,
        /// Number of children made so far. Owner.
        children: AtomicU32,
        /// What the thread waits for, a [`crate::What`], maybe with flags. Owner, before the wait
        /// is prepared.
        what: AtomicU32,
        /// Not 0 while the thread spins: what [`crate::Page::words`] was before it asked last.
        /// Owner, while busy or in a wait.
        spin: AtomicU32,
        /// `pthread_cancel` calls aimed at this thread. Any thread of the process.
        cancels: AtomicU32,
    }
    /// What the slot of a signal handler says besides: which wait the handler has interrupted.
    handler: Handler {
        /// See [`Thread`].
        _next: AtomicU32,
        /// See [`Thread`].
        _prev: AtomicU32,
        /// See [`Thread`].
        _queue: AtomicU64,
        /// See [`Thread`].
        _wake_fd: AtomicI32,
        /// See [`Thread`].
        _joiner: AtomicU32,
        /// Index + 1 of the slot whose wait it has interrupted. Owner.
        outer: AtomicU64,
        /// The stack pointer of that wait, to tell whether a longjmp(3) leaves it. Owner; compared,
        /// never followed.
        wait_sp: AtomicU64,
        /// See [`Thread`].
        _interrupted_at: AtomicU64,
        /// See [`Thread`].
        _children: AtomicU32,
        /// See [`Thread`].
        _what: AtomicU32,
        /// See [`Thread`].
        _spin: AtomicU32,
        /// See [`Thread`].
        _cancels: AtomicU32,
    }
    /// A credit's: a slot for a thread or process to come.
    credit: Credit {
        /// Of none.
        _a: AtomicU32,
        /// Of none.
        _b: AtomicU32,
        /// Of none.
        _c: AtomicU64,
        /// Of none.
        _d: AtomicI32,
        /// Of none.
        _e: AtomicU32,
        /// Of none.
        _i: AtomicU64,
        /// alarm(2) over exec(2): its deadline, virtual ns, 0 for none. The process that executes.
        alarm_deadline: AtomicU64,
        /// The interval of that alarm, ns.
        alarm_interval: AtomicU64,
        /// Of none.
        _f: AtomicU32,
        /// Of none.
        _g: AtomicU32,
        /// The process that made the credit, while [`Slot::pid`] is 0. Its creator.
        maker: AtomicU32,
        /// Of none.
        _h: AtomicU32,
    }
    /// What the slot of a traced thread says besides.
    tracee: Tracee {
        /// See [`Thread`].
        _next: AtomicU32,
        /// See [`Thread`].
        _prev: AtomicU32,
        /// How often the kernel had put the thread on a processor when a signal, or a back-off,
        /// stopped it. The tracer.
        run_count: AtomicU64,
        /// See [`Thread`].
        _wake_fd: AtomicI32,
        /// See [`Thread`].
        _joiner: AtomicU32,
        /// See [`Thread`].
        _pthread: AtomicU64,
        /// See [`Thread`].
        _sp: AtomicU64,
        /// See [`Thread`].
        _interrupted_at: AtomicU64,
        /// See [`Thread`].
        _children: AtomicU32,
        /// See [`Thread`].
        _what: AtomicU32,
        /// See [`Thread`].
        _spin: AtomicU32,
        /// See [`Thread`].
        _cancels: AtomicU32,
    }
    /// What the slot of a thread says besides that asks the tracer for a child which it makes next.
    asker: Asker {
        /// See [`Thread`].
        _next: AtomicU32,
        /// See [`Thread`].
        _prev: AtomicU32,
        /// The child's credit. The thread, which is in no wait queue.
        child: AtomicU64,
        /// See [`Thread`].
        _wake_fd: AtomicI32,
        /// See [`Thread`].
        _joiner: AtomicU32,
        /// See [`Thread`].
        _pthread: AtomicU64,
        /// See [`Thread`].
        _sp: AtomicU64,
        /// See [`Thread`].
        _interrupted_at: AtomicU64,
        /// See [`Thread`].
        _children: AtomicU32,
        /// See [`Thread`].
        _what: AtomicU32,
        /// See [`Thread`].
        _spin: AtomicU32,
        /// See [`Thread`].
        _cancels: AtomicU32,
    }
    /// What the slot of a thread says besides that waits for a futex. The wait is over before
    /// [`Thread::interrupted_at`] is written.
    futex: Futex {
        /// See [`Thread`].
        _next: AtomicU32,
        /// See [`Thread`].
        _prev: AtomicU32,
        /// See [`Thread`].
        _queue: AtomicU64,
        /// See [`Thread`].
        _wake_fd: AtomicI32,
        /// See [`Thread`].
        _joiner: AtomicU32,
        /// See [`Thread`].
        _pthread: AtomicU64,
        /// See [`Thread`].
        _sp: AtomicU64,
        /// The bits of FUTEX_WAIT_BITSET (futex(2)). Owner, before it queues.
        bitset: AtomicU64,
        /// See [`Thread`].
        _children: AtomicU32,
        /// See [`Thread`].
        _what: AtomicU32,
        /// See [`Thread`].
        _spin: AtomicU32,
        /// See [`Thread`].
        _cancels: AtomicU32,
    }
    /// A timer descriptor's: see [`crate::schedule::timerfd`]. All under its lock.
    timer: Timer {
        /// Of none.
        _a: AtomicU32,
        /// Of none.
        _b: AtomicU32,
        /// Of none.
        _c: AtomicU64,
        /// The descriptor, in process [`Slot::pid`].
        fd: AtomicI32,
        /// How often somebody has tried to take the lock: makes each taking unlike any other.
        takings: AtomicU32,
        /// The lock's word.
        holder: AtomicU64,
        /// Between expirations, virtual ns; 0 for one.
        interval: AtomicU64,
        /// The first expiration that was not read, virtual ns; 0 for none.
        expired: AtomicU64,
        /// Which of the timers that the slot has been this is.
        generation: AtomicU32,
        /// Its clock, a `clockid_t`.
        clock: AtomicU32,
        /// Of none.
        _e: AtomicU32,
        /// `ABSOLUTE` and the other flags of [`crate::schedule::timerfd`].
        flags: AtomicU32,
    }
    /// A free slot's.
    free: Free {
        /// Of none.
        _a: AtomicU32,
        /// Of none.
        _b: AtomicU32,
        /// Of none.
        _c: AtomicU64,
        /// Of none.
        _d: AtomicI32,
        /// Of none.
        _e: AtomicU32,
        /// Of none.
        _f: AtomicU64,
        /// Of none.
        _g: AtomicU64,
        /// Of none.
        _h: AtomicU64,
        /// Of none.
        _i: AtomicU32,
        /// Of none.
        _j: AtomicU32,
        /// The next free slot, index + 1. The thread that frees it.
        next: AtomicU32,
        /// Of none.
        _k: AtomicU32,
    }
}
