//! The second cache line of a slot. What it holds depends on the slot's purpose. Each kind of slot
//! has a view of its own, in which each field has one meaning. The words have names only in a view,
//! so a caller cannot read one without saying what the slot is for.

use crate::region::slot::Slot;
use crate::sync::{AtomicI32, AtomicU32, AtomicU64};

/// The words of the line, in their places.
#[repr(C)]
pub(crate) struct Line {
    a: AtomicU32,
    b: AtomicU32,
    c: AtomicU64,
    d: AtomicI32,
    e: AtomicU32,
    f: AtomicU64,
    g: AtomicU64,
    h: AtomicU64,
    i: AtomicU32,
    j: AtomicU32,
    k: AtomicU32,
    l: AtomicU32,
}

#[cfg(loom)]
impl Line {
    /// A free slot's.
    pub(crate) fn new() -> Line {
        let (word, long) = (|| AtomicU32::new(0), || AtomicU64::new(0));
        Line {
            a: word(),
            b: word(),
            c: long(),
            d: AtomicI32::new(0),
            e: word(),
            f: long(),
            g: long(),
            h: long(),
            i: word(),
            j: word(),
            k: word(),
            l: word(),
        }
    }
}

macro_rules! views {
    ($($(#[$about:meta])* $view:ident: $View:ident {
        $($(#[$means:meta])* $field:ident = $place:ident: $word:ident,)*
    })*) => {$(
        $(#[$about])*
        pub struct $View<'a> { $($(#[$means])* pub $field: &'a $word,)* }

        impl Slot {
            $(#[$about])*
            #[inline(always)]
            pub fn $view(&self) -> $View<'_> {
                $View { $($field: &self.line.$place,)* }
            }
        }
    )*};
}

views! {
    /// The view of a thread, and of a signal handler that waits.
    thread: Thread {
        /// Links of the wait queue that the slot is in, index + 1. Under that queue's lock, own
        /// process only.
        next = a: AtomicU32,
        /// See [`Thread::next`].
        prev = b: AtomicU32,
        /// The address that the queue is for. Under the queue's lock.
        queue = c: AtomicU64,
        /// The eventfd that ends this thread's timed waits for descriptors; 0 if it waits on its
        /// state word, -1 if the session's signal ends the wait. Owner.
        wake_fd = d: AtomicI32,
        /// Slot index + 1 of the thread that joins this one. The joiner.
        joiner = e: AtomicU32,
        /// `pthread_t` of the thread, 0 unless it was made by `pthread_create`. Creator and owner,
        /// the same value.
        pthread = f: AtomicU64,
        /// When a handler that uses hooks interrupted the sleep, virtual ns; 0 if none has. Owner.
        interrupted_at = h: AtomicU64,
        /// Number of children made so far. Owner.
        children = i: AtomicU32,
        /// What the thread waits for, a [`crate::WaitKind`], maybe with flags. Owner, before it
        /// prepares the wait.
        what = j: AtomicU32,
        /// Not 0 while the thread spins: what [`crate::Page::words`] was before it asked last.
        /// Owner, while busy or in a wait.
        spin = k: AtomicU32,
        /// `pthread_cancel` calls aimed at this thread. Any thread of the process.
        cancels = l: AtomicU32,
    }
    /// Further fields of a signal handler's slot: which wait the handler has interrupted.
    handler: Handler {
        /// Index + 1 of the slot whose wait the handler has interrupted. Owner.
        outer = f: AtomicU64,
        /// The stack pointer of that wait, to tell whether a longjmp(3) leaves it. Owner; compared,
        /// never followed.
        wait_sp = g: AtomicU64,
    }
    /// The view of a credit: a slot for a thread or process to come.
    credit: Credit {
        /// alarm(2) over exec(2): its deadline, virtual ns, 0 for none. The process that executes.
        alarm_deadline = g: AtomicU64,
        /// The interval of that alarm, ns.
        alarm_interval = h: AtomicU64,
        /// The process that made the credit, while [`Slot::pid`] is 0. Its creator.
        maker = k: AtomicU32,
    }
    /// Further fields of a traced thread's slot.
    tracee: Tracee {
        /// The run count of the thread when a signal, or a back-off, stopped it. The tracer.
        run_count = c: AtomicU64,
    }
    /// Further fields of the slot of a thread that asks the tracer to trace its next child.
    asker: Asker {
        /// The child's credit. The thread, which is in no wait queue.
        child = c: AtomicU64,
    }
    /// Further fields of the slot of a thread that waits for a futex. The wait is over before
    /// anybody writes [`Thread::interrupted_at`].
    futex: Futex {
        /// The bits of FUTEX_WAIT_BITSET (futex(2)). Owner, before it queues.
        bitset = h: AtomicU64,
    }
    /// The view of a timer descriptor: see [`crate::schedule::timerfd`]. All under its lock.
    timer: Timer {
        /// The descriptor, in process [`Slot::pid`].
        fd = d: AtomicI32,
        /// How often anybody has tried to take the lock: makes the token of each taking unique.
        takings = e: AtomicU32,
        /// The lock's word.
        holder = f: AtomicU64,
        /// Between expirations, virtual ns; 0 for one.
        interval = g: AtomicU64,
        /// The first expiration that was not read, virtual ns; 0 for none.
        expired = h: AtomicU64,
        /// The generation: numbers the timers that the slot has been.
        generation = i: AtomicU32,
        /// Its clock, a `clockid_t`.
        clock = j: AtomicU32,
        /// `ABSOLUTE` and the other flags of [`crate::schedule::timerfd`].
        flags = l: AtomicU32,
    }
    /// A free slot's.
    free: Free {
        /// The next free slot, index + 1. The thread that frees it.
        next = k: AtomicU32,
    }
}
