//! Each guest once more, statically linked with musl.

mod matrix;

use flux_tests::{Matrix, Variant};

#[test]
fn with_musl() {
    matrix::traced(Matrix::new(Variant::Musl))
        .except("lifecycle/main_exits", "with musl nobody can join the main thread")
        .except("cancel/descriptors", "musl's flock is no cancellation point")
        .except("cancel/not_points", "musl lets a cancellation end a poll although it is switched off")
        .except("cancel/readiness", "musl has no epoll_pwait2")
        .except("cancel/sync", "musl has no pthread_clockjoin_np")
        .except("cancel/waits", "musl's wait4 is no cancellation point")
        .except("descriptors/other_names", "musl has no preadv2")
        .except("descriptors/requests", "musl has no getaddrinfo_a")
        .except("lifecycle/all_closed", "musl has no close_range")
        .except("lifecycle/exec_names", "musl has no execveat")
        .except("lifecycle/shell_streams", "musl's fclose does not wait for the child of popen")
        .except("readiness/epoll_pwait", "musl has no epoll_pwait2")
        .except("readiness/interrupted", "musl has no epoll_pwait2")
        .except("readiness/select", "musl's select leaves the time-out as it was, and the guest prints it")
        .except("signals/deaf_calls", "musl's sigtimedwait goes on after a handler")
        .except("signals/alternate_stack", "musl has no _SC_SIGSTKSZ")
        .except("signals/in_the_engine", "glibc's names of sigevent's fields")
        .except("signals/hidden", "musl has no close_range")
        .except("signals/jump_names", "musl has no __longjmp_chk")
        .except("signals/pausing", "musl has no sigpause")
        .except("signals/senders", "musl has no pthread_sigqueue")
        .except("signals/sigwait", "musl's sigwaitinfo goes on after a handler")
        .except("sleep/start_and_end", "musl has no on_exit")
        .except("spin/late", "musl has no pthread_cond_clockwait")
        .except("spin/paths", "musl has no statx")
        .except("spin/children", "musl has no statx")
        .except("sync/cond_timedwait", "musl has no pthread_cond_clockwait")
        .except("sync/joining", "musl has no pthread_clockjoin_np")
        .except("sync/mutex", "musl has no PTHREAD_MUTEX_ADAPTIVE_NP")
        .except("sync/rwlock", "musl has no pthread_rwlock_clockwrlock")
        .except("sync/semaphore", "musl has no sem_clockwait")
        .except("unseen/lookup", "musl keeps no resolver state that a program could change")
        .except("unseen/waits", "musl has no SYS_futex_waitv")
        .except("timers/arguments", "glibc's names of sigevent's fields")
        .except("timers/posix_signals", "glibc's names of sigevent's fields")
        .except("clocks/adjusting", "musl has no ntp_gettime")
        .except("timers/waits_clock_set", "musl makes a duration of an instant before it waits")
        .check();
}
