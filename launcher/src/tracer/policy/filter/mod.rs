//! The seccomp filter of traced processes, made from the engine's table of verdicts. See
//! seccomp(2).
//!
//! The filter looks at the call's number first. So the kernel finds out by itself which calls
//! always pass, and does not run the filter for them. A call stops only if it also comes from the
//! code that the filter is for. Filters are inherited for ever, and the tracer lets go a child that
//! executes another program. A call that stops there would fail with ENOSYS, because no tracer
//! answers; by this condition none stops.

use crate::tracer::arch::calls::AUDIT_ARCH;
use crate::tracer::ptrace::bpf::{AND, AT_LEAST, Assembler, BITS, EQUAL, LOAD, RETURN, To};
use crate::tracer::ptrace::maps::Range;
use engine::arch::call_table::ROWS;
use engine::arch::syscall::{GATE, gate};
use engine::verdict::When;
use libc::{c_long, sock_filter};
use posix::clock::VIRTUAL;
use posix::socket_timeout;
use posix::wait::FUTEX_WAITS;

#[cfg(test)]
mod tests;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const IP: u32 = 8;
const fn arg(n: u8) -> u32 {
    16 + 8 * n as u32
}

/// The calls that SO_RCVTIMEO and SO_SNDTIMEO limit, see socket(7).
pub const SOCKET_CALLS: [c_long; 13] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_connect,
];

/// Stops what [`engine::verdict`] says for calls made at an address in `ranges`; all
/// else passes. `None` if there are too many ranges for one filter.
pub fn build(ranges: &[Range]) -> Option<Vec<sock_filter>> {
    stops(table(), Whose::Code(ranges))
}

/// The same for calls made anywhere, but for those that take the gate
/// ([`engine::arch::syscall::GATE`]). It does not depend on where things are, so it is good for
/// whatever is executed later.
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

/// The same for [`SOCKET_CALLS`].
pub fn of_sockets(ranges: &[Range]) -> Option<Vec<sock_filter>> {
    stops(SOCKET_CALLS.iter().map(|&number| (number as u32, When::Always)), Whose::Code(ranges))
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
    asm.jump(EQUAL, AUDIT_ARCH, To::Next, to(pass));
    asm.plain(LOAD, NUMBER);
    // By the gate's place: the label at which the filter asks who makes the call.
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
                socket_timeout::OPTIONS
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
