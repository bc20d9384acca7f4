//! syscall(2): the calls that have a hook of their own go there; others that wait are kernel waits.

use crate::file_times::confined;
use crate::{alarms, clocks, posix_timers, read, set_clock, signal_waits, sleep, timerfd, uptime};
use engine::arch::call_table::zero_is_nothing;
use interpose::hooks::syscall::timeless;
use interpose::hooks::{
    SyscallArgs, descriptors, epoll, io_uring, ipc_queues, mmsg, poll, select, try_calls,
};
use interpose::shim::clock_id::SessionClocks;
use interpose::shim::errno::{self, Answer};
use interpose::shim::user_memory::{self, Caller, begins};
use interpose::shim::{session, spin_loop, timer_fds};
use libc::{c_int, c_long, clockid_t, timespec};
use posix::clock::{Clocks, is_virtual};
use posix::errno::Errno;
use posix::wait::Call;

/// syscall(2).
///
/// # Safety
/// As for the C function; six arguments are read whether or not they were passed.
pub unsafe fn syscall(number: c_long, args: SyscallArgs) -> c_long {
    confined::about_to_call(number, args[0]);
    // SAFETY: what is called has this function's contract.
    let answer = unsafe { call(number, args) };
    match number {
        _ if zero_is_nothing(number) => spin_loop::positive(answer),
        libc::SYS_rt_sigtimedwait
        | libc::SYS_semtimedop
        | libc::SYS_mq_timedsend
        | libc::SYS_mq_timedreceive => spin_loop::success(answer),
        // Whoever is woken has got on by the wait itself.
        libc::SYS_futex if answer < 0 && errno::get() == libc::EAGAIN => spin_loop::too_late(),
        libc::SYS_futex if answer < 0 => spin_loop::futile(),
        _ => {}
    }
    answer
}

/// # Safety
/// As for syscall(2).
unsafe fn call(number: c_long, args: SyscallArgs) -> c_long {
    let [a, b, c, d, e, f] = args;
    // SAFETY: each call has the system call's arguments, in its order; those of a C function of the
    // same name are the same but for sizes of signal sets.
    unsafe {
        match number {
            // libc's functions may read and write where they like; the kernel's calls fail.
            libc::SYS_clock_gettime
                if !is_virtual(a as clockid_t) || !user_memory::writable(b as *mut timespec) =>
            {
                timeless(number, args)
            }
            libc::SYS_gettimeofday
                if [a, b]
                    .iter()
                    .any(|&at| at != 0 && !user_memory::writable(at as *mut libc::timeval)) =>
            {
                timeless(number, args)
            }
            libc::SYS_clock_gettime => {
                clocks::clock_gettime(a as clockid_t, b as *mut timespec).answer() as c_long
            }
            libc::SYS_gettimeofday => {
                clocks::gettimeofday(a as *mut _, b as *mut _).answer() as c_long
            }
            libc::SYS_clock_settime => {
                set_clock::clock_settime(a as clockid_t, b as *const timespec).answer() as c_long
            }
            libc::SYS_settimeofday => {
                set_clock::settimeofday(a as *const _, b as *const _).answer() as c_long
            }
            libc::SYS_adjtimex => set_clock::adjtimex(a as *mut _).answer() as c_long,
            libc::SYS_clock_adjtime => {
                set_clock::clock_adjtime(a as clockid_t, b as *mut _).answer() as c_long
            }
            libc::SYS_time => clocks::time(a as *mut _),
            libc::SYS_nanosleep => {
                sleep::nanosleep(a as *const timespec, b as *mut timespec).answer() as c_long
            }
            // libc's function answers EINVAL, the call EOPNOTSUPP.
            libc::SYS_clock_nanosleep if a as clockid_t != libc::CLOCK_THREAD_CPUTIME_ID => {
                match sleep::clock_nanosleep(
                    a as clockid_t,
                    b as c_int,
                    c as *const timespec,
                    d as *mut timespec,
                ) {
                    0 => 0,
                    code => Err::<c_long, _>(Errno(code)).answer(),
                }
            }
            libc::SYS_poll => poll::poll(a as *mut _, b as _, c as c_int).answer() as c_long,
            libc::SYS_ppoll => leaving_rest(Call::Ppoll, args, || {
                poll::ppoll(a as *mut _, b as _, c as *const timespec, d as *const _).answer()
                    as c_long
            }),
            libc::SYS_select => {
                select::select(a as c_int, b as *mut _, c as *mut _, d as *mut _, e as *mut _)
                    .answer() as c_long
            }
            libc::SYS_epoll_wait => {
                epoll::epoll_wait(a as c_int, b as *mut _, c as c_int, d as c_int).answer()
                    as c_long
            }
            libc::SYS_epoll_pwait => {
                epoll::epoll_pwait(a as c_int, b as *mut _, c as c_int, d as c_int, e as *const _)
                    .answer() as c_long
            }
            libc::SYS_epoll_pwait2 => epoll::epoll_pwait2(
                a as c_int,
                b as *mut _,
                c as c_int,
                d as *const timespec,
                e as *const _,
            )
            .answer() as c_long,
            libc::SYS_timerfd_create => {
                timerfd::create(a as clockid_t, b as c_int).answer() as c_long
            }
            libc::SYS_timerfd_settime => {
                timerfd::settime(a as c_int, b as c_int, c as *const _, d as *mut _).answer()
                    as c_long
            }
            libc::SYS_timerfd_gettime => {
                timerfd::gettime(a as c_int, b as *mut _).answer() as c_long
            }
            libc::SYS_timer_create => {
                match posix_timers::create_raw(a as clockid_t, b as *const _, c as *mut c_int) {
                    Some(done) => done as c_long,
                    None => timeless(number, args),
                }
            }
            libc::SYS_timer_settime => {
                posix_timers::settime(a as *mut _, b as c_int, c as *const _, d as *mut _).answer()
                    as c_long
            }
            libc::SYS_timer_gettime => {
                posix_timers::gettime(a as *mut _, b as *mut _).answer() as c_long
            }
            libc::SYS_timer_getoverrun => posix_timers::getoverrun(a as *mut _).answer() as c_long,
            libc::SYS_timer_delete => posix_timers::delete(a as *mut _).answer() as c_long,
            libc::SYS_alarm => alarms::alarm(a as u32) as c_long,
            libc::SYS_setitimer => {
                alarms::setitimer(a as c_int, b as *const _, c as *mut _).answer() as c_long
            }
            libc::SYS_getitimer => alarms::getitimer(a as c_int, b as *mut _).answer() as c_long,
            libc::SYS_read if timer_fds::is_timer(a as c_int) => {
                read::read(a as c_int, b as *mut _, c) as c_long
            }
            libc::SYS_pselect6 => {
                let with = f as *const [usize; 2];
                if f != 0 && !user_memory::readable(with) {
                    return Err::<c_long, _>(Errno(libc::EFAULT)).answer();
                }
                let mask = if f != 0 { (*with)[0] } else { 0 };
                leaving_rest(Call::Pselect, args, || {
                    select::pselect(
                        a as c_int,
                        b as *mut _,
                        c as *mut _,
                        d as *mut _,
                        e as *const timespec,
                        mask as *const _,
                    )
                    .answer() as c_long
                })
            }
            libc::SYS_rt_sigtimedwait => {
                signal_waits::sigtimedwait(a as *const _, b as *mut _, c as *const timespec)
                    .answer() as c_long
            }
            libc::SYS_semtimedop => {
                ipc_queues::semtimedop(a as c_int, b as *mut _, c, d as *const timespec).answer()
                    as c_long
            }
            libc::SYS_mq_timedsend if e != 0 => ipc_queues::mq_timedsend(
                a as c_int,
                b as *const _,
                c,
                d as u32,
                e as *const timespec,
            )
            .answer() as c_long,
            libc::SYS_mq_timedreceive if e != 0 => ipc_queues::mq_timedreceive(
                a as c_int,
                b as *mut _,
                c,
                d as *mut _,
                e as *const timespec,
            )
            .answer() as c_long,
            libc::SYS_recvmmsg => {
                mmsg::recvmmsg(a as c_int, b as *mut _, c as u32, d as c_int, e as *mut timespec)
                    as c_long
            }
            libc::SYS_sendmmsg => {
                mmsg::sendmmsg(a as c_int, b as *mut _, c as u32, d as c_int) as c_long
            }
            libc::SYS_sched_yield => try_calls::sched_yield() as c_long,
            libc::SYS_io_uring_enter => io_uring::enter(args),
            libc::SYS_times => uptime::times(a as *mut _).answer(),
            libc::SYS_sysinfo => uptime::sysinfo(a as *mut _).answer() as c_long,
            // With a time-out it is a wait that no hook sees.
            libc::SYS_futex_waitv if d == 0 => descriptors::waiting(number, args),
            libc::SYS_read
            | libc::SYS_readv
            | libc::SYS_write
            | libc::SYS_writev
            | libc::SYS_recvfrom
            | libc::SYS_recvmsg
            | libc::SYS_sendto
            | libc::SYS_sendmsg
            | libc::SYS_accept
            | libc::SYS_accept4
            | libc::SYS_connect
            | libc::SYS_wait4
            | libc::SYS_waitid
            | libc::SYS_flock
            | libc::SYS_pause
            | libc::SYS_rt_sigsuspend
            | libc::SYS_semop
            | libc::SYS_msgrcv
            | libc::SYS_msgsnd
            | libc::SYS_mq_timedsend
            | libc::SYS_mq_timedreceive => descriptors::waiting(number, args),
            _ => timeless(number, args),
        }
    }
}

/// A wait whose time-out becomes what is left of it: so the system calls have it, where libc's
/// functions have not.
fn leaving_rest(call: Call, args: SyscallArgs, wait: impl FnOnce() -> c_long) -> c_long {
    let Some(engine) = session::engine() else { return wait() };
    let clocks = SessionClocks(&engine);
    let begun = begins(call, args.map(|word| word as u64)).ok().flatten();
    let end = begun.and_then(|wait| Some((wait.left, wait.until.deadline(&clocks).ok()?)));
    let answer = wait();
    if let Some((to, end)) = end {
        // As in the kernel, where it cannot be written it is not.
        let _ = to.tell(&Caller, end - clocks.now(), false);
    }
    answer
}
