//! Does TCP have anything under way that only the kernel's timers bring on?
//!
//! On a loopback all is delivered at once, inside the sender's call, unless something was lost: a
//! segment for which the receiver had no memory, the start of a connection for which the listener's
//! queue had no place, an update of the window that was too small to be told. What was lost comes
//! again after 200 ms, or a second, of real time. So an end is asked together with its other end:
//! has that all bytes that the first has been given? If not, the kernel is at work, unless it waits
//! for a program: for a reader whose buffer is full, or for a server that does not accept.
//!
//! Bytes that have come and are not acknowledged yet (the kernel acknowledges up to 40 ms late)
//! hold up nobody but a writer without room for more, and who waits for the end of a lingering
//! close.

use crate::sock_diag::state::*;
use crate::sock_diag::{Address, Ends, Info, SockDiag, Socket};
use engine::arch::syscall::syscall6;
use engine::schedule::busy::Flight;
use libc::c_int;

/// What an end of a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stand {
    /// Nothing is under way, until somebody writes.
    Still,
    /// Something is under way, and a program has to do something for it.
    Waits,
    /// The kernel will go on by itself.
    UnderWay(Flight),
}

/// What a descriptor tells.
pub enum Asked {
    /// Of a connection.
    Stands(Stand),
    /// It is about to reach its other end, and does not tell which that is.
    Connects,
    /// It is no TCP socket (any more), or out of reach: its connection may still live.
    Lost,
}

/// One end, as a judge needs it.
struct End<F: FnOnce() -> bool> {
    info: Info,
    ends: Ends,
    unacknowledged: u32,
    /// Is there no room for more?
    full: F,
    /// Does it have a TCP_USER_TIMEOUT?
    patience: bool,
}

/// Asks a copy of a program's descriptor. `connects`: perhaps no program has accepted it yet.
pub fn of_descriptor(diag: &SockDiag, fd: c_int, connects: bool) -> Asked {
    let mut unacknowledged = 0u32;
    let at = &raw mut unacknowledged as usize;
    let Some(info) = Info::of(fd) else { return Asked::Lost };
    match info.state {
        SYN_SENT => return Asked::Connects,
        ESTABLISHED | FIN_WAIT1 | CLOSE_WAIT | LAST_ACK | CLOSING => {}
        _ => return Asked::Stands(Stand::Still),
    }
    // SAFETY: an out-parameter of an int.
    unsafe { syscall6(libc::SYS_ioctl, fd as usize, libc::TIOCOUTQ as usize, at, 0, 0, 0) };
    if unacknowledged == 0 && !connects {
        return Asked::Stands(Stand::Still);
    }
    let names = name(fd, libc::SYS_getsockname).zip(name(fd, libc::SYS_getpeername));
    // It was reset.
    let Some(((six, own), (_, other))) = names else { return Asked::Stands(Stand::Still) };
    let ends = Ends { six, own, other };
    let patience = user_timeout(fd) != 0;
    Asked::Stands(judge(diag, End { info, ends, unacknowledged, full: || is_full(fd), patience }))
}

/// The milliseconds after which TCP gives up, if the program has set them.
fn user_timeout(fd: c_int) -> u32 {
    let (mut value, mut size) = (0u32, size_of::<u32>() as libc::socklen_t);
    let (level, name) = (libc::IPPROTO_TCP as usize, libc::TCP_USER_TIMEOUT as usize);
    let (at, size_at) = (&raw mut value as usize, &raw mut size as usize);
    // SAFETY: an int and its size.
    unsafe { syscall6(libc::SYS_getsockopt, fd as usize, level, name, at, size_at, 0) };
    value
}

/// Is there no room for more?
fn is_full(fd: c_int) -> bool {
    let mut set = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    // SAFETY: a set of one, and no waiting.
    unsafe { syscall6(libc::SYS_poll, &raw mut set as usize, 1, 0, 0, 0, 0) };
    set.revents & libc::POLLOUT == 0
}

/// What a socket that the kernel has named is doing. `diag` is not the one that names them.
pub fn of_socket(diag: &SockDiag, socket: &Socket) -> Stand {
    match socket.state {
        SYN_SENT => return handshake(diag, socket.ends.reversed()),
        // A connection that no program has yet: that of its client, if the client is here.
        SYN_RECV if diag.find(socket.ends.reversed()).is_some() => {
            return listener(diag, socket.ends);
        }
        _ if socket.unacknowledged == 0 => return Stand::Still,
        _ => {}
    }
    let Some(Socket { state, ends, unacknowledged, info: Some(info), full, .. }) =
        diag.find(socket.ends)
    else {
        return Stand::Still;
    };
    judge(
        diag,
        End { info: Info { state, ..info }, ends, unacknowledged, full: || full, patience: false },
    )
}

fn judge(diag: &SockDiag, end: End<impl FnOnce() -> bool>) -> Stand {
    // The other end is on another machine, or gone.
    let Some(other) = diag.find(end.ends.reversed()) else { return Stand::Still };
    if matches!(other.state, SYN_RECV | LISTEN) {
        return listener(diag, other.ends);
    }
    let Some(theirs) = other.info.filter(|_| end.unacknowledged != 0) else { return Stand::Still };
    let ours = &end.info;
    // The end of the stream counts like a byte.
    let over = matches!(ours.state, FIN_WAIT1 | LAST_ACK | CLOSING) && ours.unsent == 0;
    let sent = ours.sent + over as u64;
    if sent + ours.unsent <= theirs.received {
        return if (end.full)() { Stand::UnderWay(Flight::Acknowledges) } else { Stand::Still };
    }
    if end.patience {
        // The kernel counts down until it gives the connection up.
        return Stand::UnderWay(Flight::Delivers);
    }
    let outstanding = u64::from(end.unacknowledged).saturating_sub(ours.unsent);
    let room = match sent > theirs.received {
        true => ours.window > 0,
        false => ours.window > outstanding,
    };
    if other.unread == 0 || room { Stand::UnderWay(Flight::Delivers) } else { Stand::Waits }
}

/// Does nothing but the kernel's memory of old connections hold `port`?
pub fn in_time_wait(diag: &SockDiag, port: u16) -> bool {
    let (mut remembered, mut used) = (false, false);
    diag.all(u32::MAX, port, |socket| match socket.state {
        TIME_WAIT => remembered = true,
        FIN_WAIT2 if socket.closed => remembered = true,
        _ => used = true,
    });
    remembered && !used
}

/// The start of a connection is on its way to the socket with these ends.
fn handshake(diag: &SockDiag, to: Ends) -> Stand {
    match diag.find(to) {
        Some(other) if other.state == LISTEN => listener(diag, other.ends),
        Some(_) => Stand::UnderWay(Flight::Connects),
        None => Stand::Still,
    }
}

/// A connection is to get into the queue of the listener with this end.
fn listener(diag: &SockDiag, ends: Ends) -> Stand {
    match diag.find(ends.listener()) {
        // The kernel takes one more than the queue's length.
        Some(socket) if socket.unread > socket.unacknowledged => Stand::Waits,
        Some(_) => Stand::UnderWay(Flight::Connects),
        None => Stand::Still,
    }
}

/// What getsockname(2) or getpeername(2) says: is it an IPv6 address, and which?
fn name(fd: c_int, call: libc::c_long) -> Option<(bool, Address)> {
    let mut words = [0u32; 7];
    let mut size = size_of_val(&words) as libc::socklen_t;
    let (at, size_at) = (words.as_mut_ptr() as usize, &raw mut size as usize);
    // SAFETY: a buffer and its size.
    if unsafe { syscall6(call, fd as usize, at, size_at, 0, 0, 0) } != 0 {
        return None;
    }
    let [a, b, c, d] = words[0].to_ne_bytes();
    let port = u16::from_ne_bytes([c, d]);
    match u16::from_ne_bytes([a, b]) as c_int {
        libc::AF_INET => Some((false, Address { words: [words[1], 0, 0, 0], port })),
        libc::AF_INET6 => {
            Some((true, Address { words: [words[2], words[3], words[4], words[5]], port }))
        }
        _ => None,
    }
}
