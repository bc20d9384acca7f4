//! What the filters stop.

use super::*;
use crate::tracer::ptrace::bpf::GO;

/// What the kernel would answer.
fn run(program: &[sock_filter], number: i32, ip: u64, args: [u64; 6]) -> u32 {
    let mut data = vec![];
    data.extend(number.to_le_bytes());
    data.extend(AUDIT_ARCH.to_le_bytes());
    data.extend(ip.to_le_bytes());
    args.iter().for_each(|a| data.extend(a.to_le_bytes()));
    let (mut at, mut a) = (0, 0u32);
    loop {
        let i = program[at];
        at += 1;
        let holds = match i.code {
            LOAD => {
                let k = i.k as usize;
                a = u32::from_le_bytes(data[k..k + 4].try_into().expect("four"));
                continue;
            }
            AND => {
                a &= i.k;
                continue;
            }
            RETURN => return i.k,
            GO => {
                at += i.k as usize;
                continue;
            }
            EQUAL => a == i.k,
            AT_LEAST => a >= i.k,
            BITS => a & i.k != 0,
            other => panic!("instruction {other}"),
        };
        at += if holds { i.jt } else { i.jf } as usize;
    }
}

#[test]
fn stops_are_as_few_as_the_table_says() {
    let ranges = [
        Range { start: 0x40_1000, end: 0x50_0000 },
        Range { start: 0x7fff_ffff_f000, end: 0x8000_0000_0000 },
    ];
    let program = build(&ranges).expect("short enough");
    let stops =
        |nr: libc::c_long, ip, args| run(&program, nr as i32, ip, args) == libc::SECCOMP_RET_TRACE;
    let inside = 0x40_1000;
    assert!(stops(libc::SYS_nanosleep, inside, [0; 6]));
    assert!(stops(libc::SYS_nanosleep, 0x4f_ffff, [0; 6]));
    let prctl = |option: i32| stops(libc::SYS_prctl, inside, [option as u64, 2, 0, 0, 0, 0]);
    assert!(prctl(libc::PR_SET_SECCOMP) && !prctl(libc::PR_SET_NAME));
    assert!(!stops(libc::SYS_nanosleep, 0x50_0000, [0; 6]));
    assert!(!stops(libc::SYS_nanosleep, 0x1_0040_1000, [0; 6]));
    assert!(stops(libc::SYS_nanosleep, 0x7fff_ffff_ffff, [0; 6]));
    assert!(!stops(libc::SYS_read, inside, [1; 6]));
    assert!(stops(libc::SYS_clock_gettime, inside, [7, 0, 0, 0, 0, 0]));
    assert!(!stops(libc::SYS_clock_gettime, inside, [2, 0, 0, 0, 0, 0]));
    assert!(!stops(libc::SYS_clock_gettime, inside, [-6i64 as u64, 0, 0, 0, 0, 0]));
    assert!(stops(libc::SYS_poll, inside, [0, 0, 5, 0, 0, 0]));
    assert!(!stops(libc::SYS_poll, inside, [0, 0, 0, 0, 0, 0]));
    assert!(!stops(libc::SYS_poll, inside, [0, 0, 0xffff_ffff, 0, 0, 0]));
    assert!(stops(libc::SYS_tgkill, inside, [1, 1, 9, 0, 0, 0]));
    assert!(!stops(libc::SYS_tgkill, inside, [1, 1, 1 << 32, 0, 0, 0]));
    assert!(stops(libc::SYS_select, inside, [0, 0, 0, 0, 1 << 32, 0]));
    assert!(!stops(libc::SYS_select, inside, [9, 9, 9, 9, 0, 0]));
    let socket = |family: i32, kind: i32| {
        stops(libc::SYS_socket, inside, [family as u64, kind as u64, 0, 0, 0, 0])
    };
    assert!(
        socket(libc::AF_INET, libc::SOCK_STREAM)
            && socket(libc::AF_INET6, libc::SOCK_STREAM | libc::SOCK_CLOEXEC)
    );
    assert!(!socket(libc::AF_UNIX, libc::SOCK_STREAM) && !socket(libc::AF_INET, libc::SOCK_DGRAM));
    let option = |level: i32, name: i32| {
        stops(libc::SYS_setsockopt, inside, [3, level as u64, name as u64, 0, 0, 0])
    };
    assert!(
        option(libc::SOL_SOCKET, libc::SO_RCVTIMEO) && option(libc::IPPROTO_TCP, libc::TCP_NODELAY)
    );
    assert!(
        !option(libc::SOL_SOCKET, libc::SO_DEBUG) && !option(libc::IPPROTO_TCP, libc::TCP_CORK)
    );
    let asks = |level: i32, name: i32| {
        stops(libc::SYS_getsockopt, inside, [3, level as u64, name as u64, 0, 0, 0])
    };
    assert!(asks(libc::IPPROTO_TCP, libc::TCP_NODELAY) && !asks(libc::IPPROTO_TCP, libc::TCP_CORK));
    assert!(!asks(libc::SOL_SOCKET, libc::TCP_NODELAY));
    let traces = |request| stops(libc::SYS_ptrace, inside, [request as u64, 1, 0, 0, 0, 0]);
    assert!(
        traces(libc::PTRACE_TRACEME) && traces(libc::PTRACE_SEIZE) && !traces(libc::PTRACE_CONT)
    );
    let futex =
        |op: u64, timeout: u64| stops(libc::SYS_futex, inside, [0x1000, op, 0, timeout, 0, 0]);
    assert!(futex(128, 1) && futex(9 | 128 | 256, 1 << 40) && futex(6, 8));
    assert!(!futex(0, 0) && !futex(1, 1) && !futex(5, 1) && !futex(3, 7));
}

#[test]
fn calls_by_the_gate_pass() {
    let program = of_all().expect("short enough");
    let stops =
        |nr: libc::c_long, ip, args| run(&program, nr as i32, ip, args) == libc::SECCOMP_RET_TRACE;
    let by_gate =
        |args: [u64; 5]| [args[0], args[1], args[2], args[3], args[4], (GATE as u64) << 32 | 7];
    for ip in [0x40_1000, 0x7e90_0000_0000] {
        assert!(stops(libc::SYS_clock_gettime, ip, [1, 0, 0, 0, 0, 0]));
        assert!(!stops(libc::SYS_clock_gettime, ip, by_gate([1, 0, 0, 0, 0])));
        assert!(stops(libc::SYS_futex, ip, [0x1000, 128, 0, 1, 0, 0]));
        assert!(!stops(libc::SYS_futex, ip, by_gate([0x1000, 128, 0, 1, 0])));
        assert!(!stops(libc::SYS_read, ip, [1; 6]));
        assert!(stops(libc::SYS_pselect6, ip, by_gate([4, 0, 0, 0, 1])));
        assert!(!stops(libc::SYS_pselect6, ip, [(GATE as u64) << 32 | 4, 0, 0, 0, 1, 0x1000]));
        assert!(stops(libc::SYS_clone3, ip, by_gate([0; 5])));
    }
}

#[test]
fn ranges_are_cut_at_4g() {
    let pieces: Vec<Range> = within_4g(Range { start: 0xffff_f000, end: 0x1_0000_2000 }).collect();
    let [a, b] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!((a.start, a.end, b.start, b.end), (0xffff_f000, 1 << 32, 1 << 32, 0x1_0000_2000));
    let all = build(&[Range { start: 0, end: 1 << 33 }]).expect("short enough");
    assert_eq!(run(&all, 35, u32::MAX as u64, [0; 6]), libc::SECCOMP_RET_TRACE);
    assert_eq!(run(&all, 35, 0, [0; 6]), libc::SECCOMP_RET_TRACE);
    assert_eq!(run(&all, 35, 1 << 33, [0; 6]), libc::SECCOMP_RET_ALLOW);
}
