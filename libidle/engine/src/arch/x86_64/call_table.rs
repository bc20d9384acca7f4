//! A verdict for every system call: one row a number.
//!
//! The numbers are those of x86-64 Linux up to 6.18. The number of a later kernel has no row, and
//! the call passes.

use crate::verdict::Verdict::*;
use crate::verdict::{
    CLONE_NEWPID, CLONE_NEWUSER, CLONE_UNTRACED, PR_SET_SECCOMP, Row, SECCOMP_SET_MODE_FILTER,
    TIOCSPTLCK, When,
};
use posix::wait::{Call, IORING_ENTER_EXT_ARG};

/// Does an answer of zero say that the call found nothing: no descriptor is ready, no bytes are
/// there, no child has ended?
pub const fn zero_is_nothing(number: i64) -> bool {
    // read, poll, readv, select, recvfrom, recvmsg, wait4, epoll_wait, pselect6, ppoll,
    // epoll_pwait, epoll_pwait2.
    matches!(number, 0 | 7 | 19 | 23 | 45 | 47 | 61 | 232 | 270 | 271 | 281 | 441)
}

/// The call of that number that may have a time-out. Not recvmmsg(2), whose time-out ends no wait.
pub const fn timed(number: i64) -> Option<Call> {
    Some(match number {
        7 => Call::Poll,
        23 => Call::Select,
        35 => Call::Nanosleep,
        128 => Call::SigTimedWait,
        202 => Call::Futex,
        208 => Call::IoGetevents,
        220 => Call::SemTimedOp,
        230 => Call::ClockNanosleep,
        232 => Call::EpollWait,
        242 => Call::MqTimedSend,
        243 => Call::MqTimedReceive,
        270 => Call::Pselect,
        271 => Call::Ppoll,
        281 => Call::EpollPwait,
        333 => Call::IoPgetevents,
        426 => Call::IoUringEnter,
        441 => Call::EpollPwait2,
        449 => Call::FutexWaitv,
        455 => Call::FutexWait,
        _ => return None,
    })
}

macro_rules! rows {
    ($($number:literal $name:ident $verdict:ident $(($($when:tt)*))?;)*) => {
        &[$(Row { number: $number, name: stringify!($name), verdict: $verdict $(($($when)*))? }),*]
    };
}

/// Every system call, ascending.
pub const ROWS: &[Row] = {
    rows! {
        0 read Blocks; 1 write Blocks; 2 open Blocks; 3 close Blocks; 4 stat Pass; 5 fstat Pass; 6 lstat Pass;
        7 poll Timed(When::Positive(2)); 8 lseek Pass; 9 mmap Pass; 10 mprotect Pass; 11 munmap Pass; 12 brk Pass;
        13 rt_sigaction Pass; 14 rt_sigprocmask Pass; 15 rt_sigreturn Pass; 16 ioctl Terminal(When::Is(1, TIOCSPTLCK)); 17 pread64 Blocks;
        18 pwrite64 Blocks; 19 readv Blocks; 20 writev Blocks; 21 access Pass; 22 pipe Pass;
        23 select Timed(When::NotNull(4)); 24 sched_yield Pass; 25 mremap Pass; 26 msync Pass; 27 mincore Pass;
        28 madvise Pass; 29 shmget Pass; 30 shmat Pass; 31 shmctl Pass; 32 dup Pass; 33 dup2 Pass; 34 pause Blocks;
        35 nanosleep Timed(When::Always); 36 getitimer Timer; 37 alarm Timer; 38 setitimer Timer; 39 getpid Pass;
        40 sendfile Blocks; 41 socket Socket(When::Stream); 42 connect Blocks; 43 accept Blocks; 44 sendto Blocks; 45 recvfrom Blocks;
        46 sendmsg Blocks; 47 recvmsg Blocks; 48 shutdown Pass; 49 bind Pass; 50 listen Pass; 51 getsockname Pass;
        52 getpeername Pass; 53 socketpair Pass; 54 setsockopt Socket(When::SocketOption); 55 getsockopt Socket(When::NoDelay);
        56 clone Spawn(When::Flag(0, CLONE_UNTRACED | CLONE_NEWUSER | CLONE_NEWPID)); 57 fork Pass; 58 vfork Blocks; 59 execve Pass; 60 exit Pass;
        61 wait4 Blocks; 62 kill Signals(When::NotZero(1)); 63 uname Pass; 64 semget Pass; 65 semop Blocks; 66 semctl Pass;
        67 shmdt Pass; 68 msgget Pass; 69 msgsnd Blocks; 70 msgrcv Blocks; 71 msgctl Pass; 72 fcntl Blocks;
        73 flock Blocks; 74 fsync Blocks; 75 fdatasync Blocks; 76 truncate Pass; 77 ftruncate Pass; 78 getdents Pass;
        79 getcwd Pass; 80 chdir Pass; 81 fchdir Pass; 82 rename Pass; 83 mkdir Pass; 84 rmdir Pass; 85 creat Blocks;
        86 link Pass; 87 unlink Pass; 88 symlink Pass; 89 readlink Pass; 90 chmod Pass; 91 fchmod Pass; 92 chown Pass;
        93 fchown Pass; 94 lchown Pass; 95 umask Pass; 96 gettimeofday Clock(When::Always); 97 getrlimit Pass; 98 getrusage Pass;
        99 sysinfo Uptime; 100 times Uptime; 101 ptrace Traces; 102 getuid Pass; 103 syslog Pass; 104 getgid Pass;
        105 setuid Privileges; 106 setgid Privileges; 107 geteuid Pass; 108 getegid Pass; 109 setpgid Pass; 110 getppid Pass;
        111 getpgrp Pass; 112 setsid Pass; 113 setreuid Privileges; 114 setregid Privileges; 115 getgroups Pass;
        116 setgroups Privileges; 117 setresuid Privileges; 118 getresuid Pass; 119 setresgid Privileges; 120 getresgid Pass;
        121 getpgid Pass; 122 setfsuid Pass; 123 setfsgid Pass; 124 getsid Pass; 125 capget Pass; 126 capset Privileges;
        127 rt_sigpending Pass; 128 rt_sigtimedwait Timed(When::Always); 129 rt_sigqueueinfo Signals(When::NotZero(1));
        130 rt_sigsuspend Blocks; 131 sigaltstack Pass; 132 utime Pass; 133 mknod Pass; 134 uselib Pass;
        135 personality Pass; 136 ustat Pass; 137 statfs Pass; 138 fstatfs Pass; 139 sysfs Pass; 140 getpriority Pass;
        141 setpriority Pass; 142 sched_setparam Pass; 143 sched_getparam Pass; 144 sched_setscheduler Pass;
        145 sched_getscheduler Pass; 146 sched_get_priority_max Pass; 147 sched_get_priority_min Pass;
        148 sched_rr_get_interval Pass; 149 mlock Pass; 150 munlock Pass; 151 mlockall Pass; 152 munlockall Pass;
        153 vhangup Pass; 154 modify_ldt Pass; 155 pivot_root Privileges; 156 _sysctl Pass; 157 prctl Confines(When::Is(0, PR_SET_SECCOMP));
        158 arch_prctl Pass; 159 adjtimex SetClock; 160 setrlimit Pass; 161 chroot Privileges; 162 sync Blocks;
        163 acct Pass; 164 settimeofday SetClock; 165 mount Pass; 166 umount2 Pass; 167 swapon Pass; 168 swapoff Pass;
        169 reboot Pass; 170 sethostname Pass; 171 setdomainname Pass; 172 iopl Pass; 173 ioperm Pass;
        174 create_module Pass; 175 init_module Pass; 176 delete_module Pass; 177 get_kernel_syms Pass;
        178 query_module Pass; 179 quotactl Pass; 180 nfsservctl Pass; 181 getpmsg Pass; 182 putpmsg Pass;
        183 afs_syscall Pass; 184 tuxcall Pass; 185 security Pass; 186 gettid Pass; 187 readahead Pass;
        188 setxattr Pass; 189 lsetxattr Pass; 190 fsetxattr Pass; 191 getxattr Pass; 192 lgetxattr Pass;
        193 fgetxattr Pass; 194 listxattr Pass; 195 llistxattr Pass; 196 flistxattr Pass; 197 removexattr Pass;
        198 lremovexattr Pass; 199 fremovexattr Pass; 200 tkill Signals(When::NotZero(1)); 201 time Clock(When::Always); 202 futex Timed(When::Futex);
        203 sched_setaffinity Affinity; 204 sched_getaffinity Affinity; 205 set_thread_area Pass; 206 io_setup Pass;
        207 io_destroy Pass; 208 io_getevents Timed(When::NotNull(4)); 209 io_submit Pass; 210 io_cancel Pass;
        211 get_thread_area Pass; 212 lookup_dcookie Pass; 213 epoll_create Pass; 214 epoll_ctl_old Pass;
        215 epoll_wait_old Pass; 216 remap_file_pages Pass; 217 getdents64 Pass; 218 set_tid_address Pass;
        219 restart_syscall Blocks; 220 semtimedop Timed(When::NotNull(3)); 221 fadvise64 Pass; 222 timer_create Timer;
        223 timer_settime Timer; 224 timer_gettime Timer; 225 timer_getoverrun Timer; 226 timer_delete Timer;
        227 clock_settime SetClock; 228 clock_gettime Clock(When::VirtualClock); 229 clock_getres Pass;
        230 clock_nanosleep Timed(When::Always); 231 exit_group Pass; 232 epoll_wait Timed(When::Positive(3));
        233 epoll_ctl Pass; 234 tgkill Signals(When::NotZero(2)); 235 utimes Pass; 236 vserver Pass; 237 mbind Pass;
        238 set_mempolicy Pass; 239 get_mempolicy Pass; 240 mq_open Blocks; 241 mq_unlink Pass;
        242 mq_timedsend Timed(When::NotNull(4)); 243 mq_timedreceive Timed(When::NotNull(4)); 244 mq_notify Pass;
        245 mq_getsetattr Pass; 246 kexec_load Pass; 247 waitid Blocks; 248 add_key Pass; 249 request_key Pass;
        250 keyctl Pass; 251 ioprio_set Pass; 252 ioprio_get Pass; 253 inotify_init Pass; 254 inotify_add_watch Pass;
        255 inotify_rm_watch Pass; 256 migrate_pages Pass; 257 openat Blocks; 258 mkdirat Pass; 259 mknodat Pass;
        260 fchownat Pass; 261 futimesat Pass; 262 newfstatat Pass; 263 unlinkat Pass; 264 renameat Pass;
        265 linkat Pass; 266 symlinkat Pass; 267 readlinkat Pass; 268 fchmodat Pass; 269 faccessat Pass;
        270 pselect6 Timed(When::NotNull(4)); 271 ppoll Timed(When::NotNull(2)); 272 unshare Privileges;
        273 set_robust_list Pass; 274 get_robust_list Pass; 275 splice Blocks; 276 tee Blocks;
        277 sync_file_range Pass; 278 vmsplice Blocks; 279 move_pages Pass; 280 utimensat Pass;
        281 epoll_pwait Timed(When::Positive(3)); 282 signalfd Pass; 283 timerfd_create Timer; 284 eventfd Pass;
        285 fallocate Blocks; 286 timerfd_settime Timer; 287 timerfd_gettime Timer; 288 accept4 Blocks;
        289 signalfd4 Pass; 290 eventfd2 Pass; 291 epoll_create1 Pass; 292 dup3 Pass; 293 pipe2 Pass;
        294 inotify_init1 Pass; 295 preadv Blocks; 296 pwritev Blocks; 297 rt_tgsigqueueinfo Signals(When::NotZero(2));
        298 perf_event_open Pass; 299 recvmmsg Timed(When::NotNull(4)); 300 fanotify_init Pass; 301 fanotify_mark Pass;
        302 prlimit64 Pass; 303 name_to_handle_at Pass; 304 open_by_handle_at Pass; 305 clock_adjtime SetClock;
        306 syncfs Blocks; 307 sendmmsg Blocks; 308 setns Privileges; 309 getcpu Pass; 310 process_vm_readv Pass;
        311 process_vm_writev Pass; 312 kcmp Pass; 313 finit_module Pass; 314 sched_setattr Pass;
        315 sched_getattr Pass; 316 renameat2 Pass; 317 seccomp Confines(When::Is(0, SECCOMP_SET_MODE_FILTER)); 318 getrandom Pass; 319 memfd_create Pass;
        320 kexec_file_load Pass; 321 bpf Pass; 322 execveat Pass; 323 userfaultfd Pass; 324 membarrier Pass;
        325 mlock2 Pass; 326 copy_file_range Pass; 327 preadv2 Blocks; 328 pwritev2 Blocks; 329 pkey_mprotect Pass;
        330 pkey_alloc Pass; 331 pkey_free Pass; 332 statx Pass; 333 io_pgetevents Timed(When::NotNull(4));
        334 rseq Pass;
        424 pidfd_send_signal Signals(When::NotZero(1)); 425 io_uring_setup Pass;
        426 io_uring_enter Timed(When::Flag(3, IORING_ENTER_EXT_ARG as u32)); 427 io_uring_register Pass; 428 open_tree Pass;
        429 move_mount Pass; 430 fsopen Pass; 431 fsconfig Pass; 432 fsmount Pass; 433 fspick Pass;
        434 pidfd_open Pass; 435 clone3 Spawn(When::Always); 436 close_range Pass; 437 openat2 Blocks;
        438 pidfd_getfd Pass; 439 faccessat2 Pass; 440 process_madvise Pass; 441 epoll_pwait2 Timed(When::NotNull(3));
        442 mount_setattr Pass; 443 quotactl_fd Pass; 444 landlock_create_ruleset Pass; 445 landlock_add_rule Pass;
        446 landlock_restrict_self Pass; 447 memfd_secret Pass; 448 process_mrelease Pass;
        449 futex_waitv Timed(When::NotNull(3)); 450 set_mempolicy_home_node Pass; 451 cachestat Pass;
        452 fchmodat2 Pass; 453 map_shadow_stack Pass; 454 futex_wake Pass; 455 futex_wait Timed(When::NotNull(4));
        456 futex_requeue Pass; 457 statmount Pass; 458 listmount Pass; 459 lsm_get_self_attr Pass;
        460 lsm_set_self_attr Pass; 461 lsm_list_modules Pass; 462 mseal Pass; 463 setxattrat Pass;
        464 getxattrat Pass; 465 listxattrat Pass; 466 removexattrat Pass; 467 open_tree_attr Pass;
        468 file_getattr Pass; 469 file_setattr Pass;
    }
};

/// The kernel never used the numbers between these.
const HOLE: (u32, u32) = (334, 424);
/// The last number that has a row.
pub const LAST: u32 = 469;

// The table is complete: no number is missing, none stands twice.
const _: () = {
    let mut i = 1;
    while i < ROWS.len() {
        let (before, here) = (ROWS[i - 1].number, ROWS[i].number);
        assert!(here == before + 1 || (before == HOLE.0 && here == HOLE.1));
        i += 1;
    }
    assert!(ROWS[0].number == 0 && ROWS[ROWS.len() - 1].number == LAST);
};

/// The row of `number`.
pub fn row(number: u64) -> Option<&'static Row> {
    let number = u32::try_from(number).ok()?;
    ROWS.binary_search_by_key(&number, |row| row.number).ok().map(|at| &ROWS[at])
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::arch::syscall::gate;

    #[test]
    fn only_what_a_filter_stops_takes_the_gate() {
        for row in ROWS {
            let gate = gate(row.number as i64);
            assert!(gate.is_none() || row.verdict.traced().is_some(), "{}", row.name);
        }
    }

    #[test]
    fn what_may_be_timed_has_a_meaning() {
        for row in ROWS.iter().filter(|row| row.name != "recvmmsg") {
            let named = timed(row.number as i64).map(|call| format!("{call:?}").to_lowercase());
            let timed = matches!(row.verdict, Timed(_));
            assert_eq!(named.is_some(), timed, "{}", row.name);
            let name = row.name.replace(['_', '6'], "").replace("rtsig", "sig");
            assert!(named.is_none_or(|call| call == name), "{name}");
        }
    }

    #[test]
    fn rows_are_found_by_number() {
        assert_eq!(row(35).map(|row| row.name), Some("nanosleep"));
        assert_eq!(row(202).map(|row| row.verdict), Some(Timed(When::Futex)));
        assert_eq!(row(441).map(|row| row.name), Some("epoll_pwait2"));
        assert!(row(400).is_none() && row(1 << 40).is_none());
    }
}
