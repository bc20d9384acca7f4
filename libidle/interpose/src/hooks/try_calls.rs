//! Calls that never wait: they ask, and a program may ask in a loop. The real call and nothing
//! else; their rows say what is an answer that gets a loop on, see [`crate::shim::spin_loop`].

use crate::next;
use crate::shim::spin_loop;
use libc::{
    c_char, c_int, c_void, pthread_mutex_t, pthread_rwlock_t, pthread_spinlock_t, pthread_t,
};

macro_rules! real_calls {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*) -> c_int;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name($($arg: $t),*) -> c_int {
            $crate::next!($name: fn($($t),*) -> c_int)($($arg),*)
        }
    )*};
}

real_calls! {
    /// pthread_mutex_trylock(3).
    fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int;
    /// mtx_trylock(3).
    fn mtx_trylock(mutex: *mut pthread_mutex_t) -> c_int;
    /// pthread_rwlock_tryrdlock(3).
    fn pthread_rwlock_tryrdlock(lock: *mut pthread_rwlock_t) -> c_int;
    /// pthread_rwlock_trywrlock(3).
    fn pthread_rwlock_trywrlock(lock: *mut pthread_rwlock_t) -> c_int;
    /// pthread_spin_trylock(3).
    fn pthread_spin_trylock(lock: *mut pthread_spinlock_t) -> c_int;
    /// pthread_tryjoin_np(3).
    fn pthread_tryjoin_np(thread: pthread_t, result: *mut *mut c_void) -> c_int;
    /// access(2).
    fn access(path: *const c_char, mode: c_int) -> c_int;
    /// faccessat(2).
    fn faccessat(dir: c_int, path: *const c_char, mode: c_int, flags: c_int) -> c_int;
}

/// sched_yield(2).
pub fn sched_yield() -> c_int {
    spin_loop::give_way(|| {
        next!(sched_yield: fn() -> c_int)();
    });
    0
}

/// thrd_yield(3).
pub fn thrd_yield() {
    sched_yield();
}
