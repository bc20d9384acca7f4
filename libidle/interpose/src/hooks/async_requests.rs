//! Requests that libc answers with threads of its own: aio(7), getaddrinfo_a(3), mq_notify(3).

use crate::next;
use crate::shim::clock_id;
use crate::shim::entry::{Cause, WaitKind, enter};
use crate::shim::errno::outcome;
use crate::shim::libc_threads;
use crate::shim::polling_wait;
use crate::shim::user_memory;
use libc::{aiocb, c_int, c_void, mqd_t, sigevent, sigset_t, timespec};
use posix::errno::Errno;

/// netdb.h.
const EAI_INPROGRESS: c_int = -100;
/// netdb.h.
const EAI_INTR: c_int = -104;

macro_rules! starting {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $t:ty),*) -> c_int;)*) => {$(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> c_int {
            let entry = enter();
            let _wait = entry.as_ref().map(|entry| {
                libc_threads::expect(entry);
                entry.kernel_wait(WaitKind::Request)
            });
            next!($name: fn($($t),*) -> c_int)($($arg),*)
        }
    )*};
}

starting! {
    /// aio_read(3).
    fn aio_read(request: *mut aiocb) -> c_int;
    /// aio_read64.
    fn aio_read64(request: *mut aiocb) -> c_int;
    /// aio_write(3).
    fn aio_write(request: *mut aiocb) -> c_int;
    /// aio_write64.
    fn aio_write64(request: *mut aiocb) -> c_int;
    /// aio_fsync(3).
    fn aio_fsync(op: c_int, request: *mut aiocb) -> c_int;
    /// aio_fsync64.
    fn aio_fsync64(op: c_int, request: *mut aiocb) -> c_int;
    /// lio_listio(3): with LIO_WAIT it waits for all.
    fn lio_listio(mode: c_int, list: *const *mut aiocb, n: c_int, event: *mut sigevent) -> c_int;
    /// lio_listio64.
    fn lio_listio64(mode: c_int, list: *const *mut aiocb, n: c_int, event: *mut sigevent) -> c_int;
    /// getaddrinfo_a(3): with GAI_WAIT it waits for all.
    fn getaddrinfo_a(mode: c_int, list: *mut *mut c_void, n: c_int, event: *mut sigevent) -> c_int;
    /// mq_notify(3).
    fn mq_notify(queue: mqd_t, event: *const sigevent) -> c_int;
}

/// Waits for at most `timeout`, by the virtual clock, until one of the requests is `done`; without
/// a time-out until `real` answers. Errors are `over` when the time is, and EINTR when a handler
/// has run.
///
/// Not by the real call with short time-outs: libc adds them to what the vDSO's clock says, which
/// is virtual, and then has the kernel wait for an instant that is far away.
fn suspend(
    timeout: *const timespec,
    done: impl Fn() -> bool,
    over: Errno,
    real: impl Fn() -> Result<c_int, Errno>,
) -> Result<c_int, Errno> {
    let Some(entry) = enter() else { return real() };
    if !timeout.is_null() {
        let span = user_memory::spec(timeout)?.span().ok_or(Errno::EINVAL)?;
        let deadline = clock_id::after(&entry.engine, span);
        let ask = |slice: Option<(&timespec, *const sigset_t)>| {
            let interrupted = slice
                .is_some_and(|(time, mask)| !done() && polling_wait::pause(time, mask).is_err());
            (interrupted || done()).then_some(interrupted)
        };
        match polling_wait::wait(
            &entry,
            Cause::from(WaitKind::Request).rechecking(),
            deadline,
            std::ptr::null(),
            ask,
        ) {
            Some(true) => return Err(Errno(libc::EINTR)),
            None if !done() => return Err(over),
            _ => {}
        }
    }
    let _wait = entry.kernel_wait(WaitKind::Request);
    real()
}

/// Is one of the requests of `list` not in progress any more? Empty places count for nothing.
///
/// # Safety
/// `list` has `n` entries, null or requests.
unsafe fn any<T>(list: *const *const T, n: c_int, in_progress: impl Fn(*const T) -> bool) -> bool {
    // SAFETY: as said.
    (0..n.max(0) as usize).map(|i| unsafe { *list.add(i) }).any(|r| !r.is_null() && !in_progress(r))
}

/// aio_suspend(3).
///
/// # Safety
/// As for the C function.
pub unsafe fn aio_suspend(
    list: *const *const aiocb,
    n: c_int,
    timeout: *const timespec,
) -> Result<c_int, Errno> {
    let real = next!(aio_suspend: fn(*const *const aiocb, c_int, *const timespec) -> c_int);
    let error = next!(aio_error: fn(*const aiocb) -> c_int);
    let in_progress = |request| error(request) == libc::EINPROGRESS;
    // SAFETY: the call has `n` requests or null pointers.
    let done = || unsafe { any(list, n, in_progress) };
    suspend(timeout, done, Errno(libc::EAGAIN), || outcome(real(list, n, std::ptr::null())))
}

/// gai_suspend(3): answers with its own error codes.
///
/// # Safety
/// As for the C function.
pub unsafe fn gai_suspend(list: *const *const c_void, n: c_int, timeout: *const timespec) -> c_int {
    let real = next!(gai_suspend: fn(*const *const c_void, c_int, *const timespec) -> c_int);
    let error = next!(gai_error: fn(*const c_void) -> c_int);
    let in_progress = |request| error(request) == EAI_INPROGRESS;
    // SAFETY: the call has `n` requests or null pointers.
    let done = || unsafe { any(list, n, in_progress) };
    match suspend(timeout, done, Errno(libc::EAGAIN), || Ok(real(list, n, std::ptr::null()))) {
        Ok(answer) => answer,
        Err(Errno(libc::EINTR)) => EAI_INTR,
        Err(_) => libc::EAI_AGAIN,
    }
}
