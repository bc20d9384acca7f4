//! The seccomp filter of traced processes, made from the engine's table of verdicts. See
//! seccomp(2).
//!
//! Numbers come first, so that the kernel finds out by itself which calls always pass and does not
//! run the filter for them. A call that is to stop must also come from the code the filter is for:
//! filters are inherited for ever, and a child that executes another program is let go. There
//! nobody answers, and the kernel fails a call that should have stopped with ENOSYS; with the
//! condition none does.

use crate::tracer::policy::sockets;
use crate::tracer::ptrace::bpf::{AND, AT_LEAST, Assembler, BITS, EQUAL, LOAD, RETURN, To};
use engine::programs::verdicts::{FUTEX_WAITS, ROWS, SOCKET_LIMITS, When};
use engine::sys::{GATE, gate};
use libc::sock_filter;
use posix::clock::VIRTUAL;

/// Addresses `start..end` of code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// The address after the last one.
    pub end: u64,
}

impl Range {
    /// Does it hold all of `other`?
    pub fn holds(self, other: Range) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Is any address in both?
    pub fn meets(self, other: Range) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const IP: u32 = 8;
const fn arg(n: u8) -> u32 {
    16 + 8 * n as u32
}

/// `AUDIT_ARCH_X86_64`.
const X86_64: u32 = 0xc000_003e;

/// Stops what [`engine::programs::verdicts`] says for calls made at an address in `ranges`; all else passes.
/// `None` if there are too many ranges for one filter.
pub fn build(ranges: &[Range]) -> Option<Vec<sock_filter>> {
    stops(table(), Whose::Code(ranges))
}

/// The same for calls made anywhere, but for those that take the gate ([`engine::sys::GATE`]). It
/// does not depend on where things are, so it is good for whatever is executed later.
pub fn of_all() -> Option<Vec<sock_filter>> {
    stops(table(), Whose::Beside)
}

fn table() -> impl Iterator<Item = (u32, When)> {
    ROWS.iter().filter_map(|row| Some((row.number, row.verdict.traced()?)))
}

/// The same for read(2) and readv(2).
pub fn of_reads(ranges: &[Range]) -> Option<Vec<sock_filter>> {
    stops(
        [libc::SYS_read, libc::SYS_readv].map(|number| (number as u32, When::Always)).into_iter(),
        Whose::Code(ranges),
    )
}

/// The same for the calls that [`sockets`] limits.
pub fn of_sockets(ranges: &[Range]) -> Option<Vec<sock_filter>> {
    stops(sockets::CALLS.iter().map(|&number| (number as u32, When::Always)), Whose::Code(ranges))
}

/// Whose calls stop.
enum Whose<'a> {
    /// Those of code at an address in one of these ranges.
    Code(&'a [Range]),
    /// All that do not take the gate.
    Beside,
}

fn stops(calls: impl Iterator<Item = (u32, When)>, whose: Whose) -> Option<Vec<sock_filter>> {
    let mut asm = Assembler::default();
    let (pass, trace) = (asm.label(), asm.label());
    let to = To::Label;
    asm.plain(LOAD, ARCH);
    asm.jump(EQUAL, X86_64, To::Next, to(pass));
    asm.plain(LOAD, NUMBER);
    // And, by the gate's place, where it is looked who makes the call.
    let mut conditions: Vec<(When, usize, usize)> = vec![];
    let mut origins: Vec<(Option<u8>, usize)> = vec![];
    for (number, when) in calls {
        let gate = gate(number as i64).filter(|_| matches!(whose, Whose::Beside));
        let origin = match origins.iter().find(|o| o.0 == gate) {
            Some(&(_, origin)) => origin,
            None => {
                origins.push((gate, asm.label()));
                origins[origins.len() - 1].1
            }
        };
        let label = match conditions.iter().find(|c| (c.0, c.1) == (when, origin)) {
            Some(&(.., label)) => label,
            None => {
                conditions.push((when, origin, asm.label()));
                conditions[conditions.len() - 1].2
            }
        };
        asm.jump(EQUAL, number, to(label), To::Next);
    }
    asm.go(pass);
    for (when, origin, label) in conditions {
        asm.here(label);
        match when {
            When::Always => asm.go(origin),
            When::Positive(n) => {
                asm.plain(LOAD, arg(n));
                asm.jump(BITS, 1 << 31, to(pass), To::Next);
                asm.jump(EQUAL, 0, to(pass), to(origin));
            }
            When::VirtualClock => {
                asm.plain(LOAD, arg(0));
                for clock in (0..32).filter(|clock| VIRTUAL >> clock & 1 != 0) {
                    asm.jump(EQUAL, clock, to(origin), To::Next);
                }
                asm.go(pass);
            }
            When::NotZero(n) => {
                asm.plain(LOAD, arg(n));
                asm.jump(EQUAL, 0, to(pass), to(origin));
            }
            When::NotNull(n) => not_null(&mut asm, n, origin, pass),
            When::Flag(n, bits) => {
                asm.plain(LOAD, arg(n));
                asm.jump(BITS, bits, to(origin), to(pass));
            }
            When::Is(n, number) => {
                asm.plain(LOAD, arg(n));
                asm.jump(EQUAL, number, to(origin), to(pass));
            }
            When::SocketOption => {
                let of_others = asm.label();
                asm.plain(LOAD, arg(1));
                asm.jump(EQUAL, libc::SOL_SOCKET as u32, To::Next, to(of_others));
                asm.plain(LOAD, arg(2));
                SOCKET_LIMITS
                    .iter()
                    .for_each(|&option| asm.jump(EQUAL, option, to(origin), To::Next));
                asm.go(pass);
                asm.here(of_others);
                no_delay(&mut asm, origin, pass);
            }
            When::NoDelay => no_delay(&mut asm, origin, pass),
            When::Attaches => {
                asm.plain(LOAD, arg(0));
                for request in [libc::PTRACE_TRACEME, libc::PTRACE_ATTACH, libc::PTRACE_SEIZE] {
                    asm.jump(EQUAL, request, to(origin), To::Next);
                }
                asm.go(pass);
            }
            When::Stream => {
                /// socket(2): the lowest bits are the type.
                const TYPE: u32 = 15;
                let of_internet = asm.label();
                asm.plain(LOAD, arg(0));
                asm.jump(EQUAL, libc::AF_INET as u32, to(of_internet), To::Next);
                asm.jump(EQUAL, libc::AF_INET6 as u32, To::Next, to(pass));
                asm.here(of_internet);
                asm.plain(LOAD, arg(1));
                asm.plain(AND, TYPE);
                asm.jump(EQUAL, libc::SOCK_STREAM as u32, to(origin), to(pass));
            }
            When::Futex => {
                let waits = asm.label();
                asm.plain(LOAD, arg(1));
                asm.plain(AND, 0x7f);
                FUTEX_WAITS.iter().for_each(|&op| asm.jump(EQUAL, op, to(waits), To::Next));
                asm.go(pass);
                asm.here(waits);
                not_null(&mut asm, 3, origin, pass);
            }
        }
    }
    for (gate, origin) in origins {
        asm.here(origin);
        match (&whose, gate) {
            (Whose::Beside, Some(n)) => {
                asm.plain(LOAD, arg(n) + 4);
                asm.jump(EQUAL, GATE, to(pass), to(trace));
            }
            (Whose::Beside, None) => asm.go(trace),
            (Whose::Code(ranges), _) => {
                ranges
                    .iter()
                    .flat_map(|&r| within_4g(r))
                    .for_each(|range| within(&mut asm, range, trace));
                asm.go(pass);
            }
        }
    }
    asm.here(pass);
    asm.plain(RETURN, libc::SECCOMP_RET_ALLOW);
    asm.here(trace);
    asm.plain(RETURN, libc::SECCOMP_RET_TRACE);
    asm.finish()
}

/// Goes to `trace` if the call comes from the range, which has one upper half.
fn within(asm: &mut Assembler, range: Range, trace: usize) {
    let next = asm.label();
    asm.plain(LOAD, IP + 4);
    asm.jump(EQUAL, (range.start >> 32) as u32, To::Next, To::Label(next));
    asm.plain(LOAD, IP);
    asm.jump(AT_LEAST, range.start as u32, To::Next, To::Label(next));
    // The last address, since the end may be 2^32.
    asm.jump(EQUAL, (range.end - 1) as u32, To::Label(trace), To::Next);
    asm.jump(AT_LEAST, (range.end - 1) as u32, To::Label(next), To::Label(trace));
    asm.here(next);
}

fn not_null(asm: &mut Assembler, n: u8, yes: usize, no: usize) {
    asm.plain(LOAD, arg(n));
    asm.jump(EQUAL, 0, To::Next, To::Label(yes));
    asm.plain(LOAD, arg(n) + 4);
    asm.jump(EQUAL, 0, To::Label(no), To::Label(yes));
}

/// Is it TCP_NODELAY that a call on a socket option is about?
fn no_delay(asm: &mut Assembler, yes: usize, no: usize) {
    asm.plain(LOAD, arg(1));
    asm.jump(EQUAL, libc::IPPROTO_TCP as u32, To::Next, To::Label(no));
    asm.plain(LOAD, arg(2));
    asm.jump(EQUAL, libc::TCP_NODELAY as u32, To::Label(yes), To::Label(no));
}

/// Cuts a range so that the upper halves of all addresses in a piece are the same.
fn within_4g(range: Range) -> impl Iterator<Item = Range> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        let end = range.end.min((start | 0xffff_ffff).saturating_add(1));
        (start < range.end).then(|| Range { start: std::mem::replace(&mut start, end), end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::ptrace::bpf::GO;

    /// What the kernel would answer.
    fn run(program: &[sock_filter], number: i32, ip: u64, args: [u64; 6]) -> u32 {
        let mut data = vec![];
        data.extend(number.to_le_bytes());
        data.extend(X86_64.to_le_bytes());
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
        let stops = |nr: libc::c_long, ip, args| {
            run(&program, nr as i32, ip, args) == libc::SECCOMP_RET_TRACE
        };
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
        assert!(
            !socket(libc::AF_UNIX, libc::SOCK_STREAM) && !socket(libc::AF_INET, libc::SOCK_DGRAM)
        );
        let option = |level: i32, name: i32| {
            stops(libc::SYS_setsockopt, inside, [3, level as u64, name as u64, 0, 0, 0])
        };
        assert!(
            option(libc::SOL_SOCKET, libc::SO_RCVTIMEO)
                && option(libc::IPPROTO_TCP, libc::TCP_NODELAY)
        );
        assert!(
            !option(libc::SOL_SOCKET, libc::SO_DEBUG) && !option(libc::IPPROTO_TCP, libc::TCP_CORK)
        );
        let asks = |level: i32, name: i32| {
            stops(libc::SYS_getsockopt, inside, [3, level as u64, name as u64, 0, 0, 0])
        };
        assert!(
            asks(libc::IPPROTO_TCP, libc::TCP_NODELAY) && !asks(libc::IPPROTO_TCP, libc::TCP_CORK)
        );
        assert!(!asks(libc::SOL_SOCKET, libc::TCP_NODELAY));
        let traces = |request| stops(libc::SYS_ptrace, inside, [request as u64, 1, 0, 0, 0, 0]);
        assert!(
            traces(libc::PTRACE_TRACEME)
                && traces(libc::PTRACE_SEIZE)
                && !traces(libc::PTRACE_CONT)
        );
        let futex =
            |op: u64, timeout: u64| stops(libc::SYS_futex, inside, [0x1000, op, 0, timeout, 0, 0]);
        assert!(futex(128, 1) && futex(9 | 128 | 256, 1 << 40) && futex(6, 8));
        assert!(!futex(0, 0) && !futex(1, 1) && !futex(5, 1) && !futex(3, 7));
    }

    #[test]
    fn calls_by_the_gate_pass() {
        let program = of_all().expect("short enough");
        let stops = |nr: libc::c_long, ip, args| {
            run(&program, nr as i32, ip, args) == libc::SECCOMP_RET_TRACE
        };
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
        let pieces: Vec<Range> =
            within_4g(Range { start: 0xffff_f000, end: 0x1_0000_2000 }).collect();
        let [a, b] = pieces[..] else { panic!("{pieces:?}") };
        assert_eq!(
            (a.start, a.end, b.start, b.end),
            (0xffff_f000, 1 << 32, 1 << 32, 0x1_0000_2000)
        );
        let all = build(&[Range { start: 0, end: 1 << 33 }]).expect("short enough");
        assert_eq!(run(&all, 35, u32::MAX as u64, [0; 6]), libc::SECCOMP_RET_TRACE);
        assert_eq!(run(&all, 35, 0, [0; 6]), libc::SECCOMP_RET_TRACE);
        assert_eq!(run(&all, 35, 1 << 33, [0; 6]), libc::SECCOMP_RET_ALLOW);
    }
}
