//! What the kernel says of TCP sockets: sock_diag(7), asked by addresses or for all sockets of the
//! network namespace, and tcp(7)'s TCP_INFO.

use engine::arch::syscall::syscall6;
use libc::c_int;
use std::cell::Cell;

/// States of a TCP socket, as the kernel numbers them.
pub mod state {
    pub const ESTABLISHED: u8 = 1;
    pub const SYN_SENT: u8 = 2;
    pub const SYN_RECV: u8 = 3;
    pub const FIN_WAIT1: u8 = 4;
    pub const FIN_WAIT2: u8 = 5;
    pub const TIME_WAIT: u8 = 6;
    pub const CLOSE_WAIT: u8 = 8;
    pub const LAST_ACK: u8 = 9;
    pub const LISTEN: u8 = 10;
    pub const CLOSING: u8 = 11;
    /// These have data or a handshake of their own.
    pub const LIVING: u32 = 1 << ESTABLISHED
        | 1 << SYN_SENT
        | 1 << SYN_RECV
        | 1 << FIN_WAIT1
        | 1 << CLOSE_WAIT
        | 1 << LAST_ACK
        | 1 << CLOSING;
}

/// An address and a port, both in network byte order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Address {
    pub words: [u32; 4],
    pub port: u16,
}

/// The two ends of a connection, of one address family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    pub six: bool,
    pub own: Address,
    pub other: Address,
}

impl Ends {
    /// As the other end sees it. Where both hold IPv4 addresses in IPv6 ones, as IPv4.
    pub fn reversed(self) -> Ends {
        let mapped = |address: Address| {
            address.words[..2] == [0, 0] && address.words[2] == 0xffff_u32.to_be()
        };
        if self.six && mapped(self.own) && mapped(self.other) {
            let plain = |a: Address| Address { words: [a.words[3], 0, 0, 0], port: a.port };
            return Ends { six: false, own: plain(self.other), other: plain(self.own) };
        }
        Ends { six: self.six, own: self.other, other: self.own }
    }

    /// The listener that `own` belongs to.
    pub fn listener(self) -> Ends {
        Ends { other: Address::default(), ..self }
    }
}

/// What TCP_INFO says, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    pub state: u8,
    /// Bytes sent at least once.
    pub sent: u64,
    /// Bytes, and the end, that are not sent yet.
    pub unsent: u64,
    /// Bytes, and the end, that have come in order.
    pub received: u64,
    /// What the other end has last said that it has room for.
    pub window: u64,
}

impl Info {
    /// Offsets in `struct tcp_info`.
    fn parse(info: &[u8]) -> Option<Info> {
        let long = |at: usize| Some(u64::from_ne_bytes(info.get(at..at + 8)?.try_into().ok()?));
        let int = |at: usize| Some(u32::from_ne_bytes(info.get(at..at + 4)?.try_into().ok()?));
        Some(Info {
            state: *info.first()?,
            sent: long(200)?.saturating_sub(long(208)?),
            unsent: int(144)?.into(),
            received: long(128)?,
            window: int(228)?.into(),
        })
    }

    /// Of TCP socket `fd` of this process.
    pub fn of(fd: c_int) -> Option<Info> {
        let mut info = [0u8; 256];
        let mut size = info.len() as libc::socklen_t;
        let (level, name) = (libc::IPPROTO_TCP as usize, libc::TCP_INFO as usize);
        let (at, size_at) = (info.as_mut_ptr() as usize, &raw mut size as usize);
        // SAFETY: a buffer and its size.
        let failed =
            unsafe { syscall6(libc::SYS_getsockopt, fd as usize, level, name, at, size_at, 0) };
        if failed != 0 { None } else { Info::parse(info.get(..size as usize)?) }
    }
}

/// What sock_diag(7) says of a socket.
#[derive(Clone, Copy, Debug)]
pub struct Socket {
    pub state: u8,
    pub ends: Ends,
    /// Bytes that its program has not read; of a listener, connections that were not accepted.
    pub unread: u32,
    /// Bytes, and the end, that were not acknowledged; of a listener, the most connections of the
    /// kind above.
    pub unacknowledged: u32,
    /// No program has it open any more.
    pub closed: bool,
    /// If asked for.
    pub info: Option<Info>,
    /// Its send buffer is full: who writes waits.
    pub full: bool,
}

const HEADER: usize = 16;
const MESSAGE: usize = 72;
const INFO: u16 = 2;
const MEMORY: u16 = 7;

impl Socket {
    /// `struct inet_diag_msg` and its attributes.
    fn parse(text: &[u8]) -> Option<Socket> {
        let int = |at: usize| Some(u32::from_ne_bytes(text.get(at..at + 4)?.try_into().ok()?));
        let port = |at: usize| Some(u16::from_ne_bytes([*text.get(at)?, *text.get(at + 1)?]));
        let address = |words: usize, at: usize| {
            let mut all = [0u32; 4];
            for (i, word) in all.iter_mut().enumerate() {
                *word = int(words + 4 * i)?;
            }
            Some(Address { words: all, port: port(at)? })
        };
        let six = *text.first()? == libc::AF_INET6 as u8;
        let mut socket = Socket {
            state: *text.get(1)?,
            ends: Ends { six, own: address(8, 4)?, other: address(24, 6)? },
            unread: int(56)?,
            unacknowledged: int(60)?,
            closed: int(68)? == 0,
            info: None,
            full: false,
        };
        let mut rest = text.get(MESSAGE..)?;
        while let Some(&[a, b, c, d]) = rest.first_chunk::<4>() {
            let (length, kind) = (u16::from_ne_bytes([a, b]) as usize, u16::from_ne_bytes([c, d]));
            let Some(value) = rest.get(4..length) else { break };
            match kind {
                INFO => socket.info = Info::parse(value),
                MEMORY => socket.full = full(value).unwrap_or(false),
                _ => {}
            }
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(socket)
    }
}

/// Is there too little room in the send buffer for poll(2) to say POLLOUT? `sk_stream_is_writeable`
/// in Linux, by the words of `SK_MEMINFO`: 3 is the size, 5 is what is in it.
fn full(memory: &[u8]) -> Option<bool> {
    let word =
        |n: usize| Some(u32::from_ne_bytes(memory.get(4 * n..4 * n + 4)?.try_into().ok()?) as u64);
    let (size, queued) = (word(3)?, word(5)?);
    Some(size.saturating_sub(queued) < queued / 2)
}

/// A request of netlink(7): a header, and what follows it.
struct Request {
    bytes: [u8; HEADER + 60],
    size: usize,
}

impl Request {
    fn new(kind: u16, flags: u16, size: usize) -> Request {
        const NLM_F_REQUEST: u16 = 1;
        let mut request = Request { bytes: [0; HEADER + 60], size: HEADER + size };
        request.bytes[..4].copy_from_slice(&(request.size as u32).to_ne_bytes());
        request.bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        request.bytes[6..8].copy_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        request
    }

    /// Writes behind the header.
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[HEADER + at..HEADER + at + bytes.len()].copy_from_slice(bytes);
    }
}

/// A netlink socket to ask by.
#[derive(Debug)]
pub struct SockDiag {
    fd: c_int,
    /// The number of the last request: an answer to another one is passed over.
    last: Cell<u32>,
}

impl SockDiag {
    /// `None` if the kernel has none for us.
    pub fn new() -> Option<SockDiag> {
        const NETLINK_SOCK_DIAG: usize = 4;
        let kind = (libc::SOCK_RAW | libc::SOCK_CLOEXEC) as usize;
        // SAFETY: plain numbers.
        let fd = unsafe {
            syscall6(libc::SYS_socket, libc::AF_NETLINK as usize, kind, NETLINK_SOCK_DIAG, 0, 0, 0)
        };
        (fd >= 0).then_some(SockDiag { fd: fd as c_int, last: Cell::new(0) })
    }

    /// Calls `each` with all sockets in these `states`, without their [`Info`]; `port`: with those
    /// that have this one, if it is not zero.
    pub fn all(&self, states: u32, port: u16, mut each: impl FnMut(Socket)) {
        /// The old request, which names no family: one walk through the kernel's table for both.
        const TCPDIAG_GETSOCK: u16 = 18;
        const NLM_F_DUMP: u16 = 0x300;
        let mut request = Request::new(TCPDIAG_GETSOCK, NLM_F_DUMP, 60);
        request.put(4, &port.to_be_bytes());
        request.put(52, &states.to_ne_bytes());
        self.ask(request, false, &mut each);
    }

    /// The socket with these ends: one that has a connection, one that is about to, or a listener.
    pub fn find(&self, ends: Ends) -> Option<Socket> {
        const SOCK_DIAG_BY_FAMILY: u16 = 20;
        let mut request = Request::new(SOCK_DIAG_BY_FAMILY, 0, 56);
        let family = if ends.six { libc::AF_INET6 } else { libc::AF_INET } as u8;
        let wanted = 1 << (INFO - 1) | 1 << (MEMORY - 1);
        request.put(0, &[family, libc::IPPROTO_TCP as u8, wanted, 0]);
        request.put(4, &u32::MAX.to_ne_bytes());
        request.put(8, &ends.own.port.to_ne_bytes());
        request.put(10, &ends.other.port.to_ne_bytes());
        for (i, (own, other)) in ends.own.words.iter().zip(ends.other.words).enumerate() {
            request.put(12 + 4 * i, &own.to_ne_bytes());
            request.put(28 + 4 * i, &other.to_ne_bytes());
        }
        // No cookie: any socket.
        request.put(48, &[0xff; 8]);
        let mut found = None;
        self.ask(request, true, &mut |socket| found = Some(socket));
        found
    }

    fn ask(&self, mut request: Request, one: bool, each: &mut dyn FnMut(Socket)) {
        const NLMSG_ERROR: u16 = 2;
        const NLMSG_DONE: u16 = 3;
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        request.bytes[8..12].copy_from_slice(&number.to_ne_bytes());
        let (at, size) = (request.bytes.as_ptr() as usize, request.size);
        // SAFETY: a buffer and its size.
        let sent = unsafe { syscall6(libc::SYS_sendto, self.fd as usize, at, size, 0, 0, 0) };
        if sent != size as isize {
            return;
        }
        let mut answer = [0u32; 2048];
        loop {
            let (at, size) = (answer.as_mut_ptr() as usize, size_of_val(&answer));
            // SAFETY: a buffer and its size.
            let got = unsafe { syscall6(libc::SYS_recvfrom, self.fd as usize, at, size, 0, 0, 0) };
            let Ok(got) = usize::try_from(got) else { return };
            // SAFETY: the same memory as bytes.
            let bytes = unsafe { std::slice::from_raw_parts(at as *const u8, got.min(size)) };
            let mut rest = bytes;
            let mut answered = false;
            while let Some(&[a, b, c, d, e, f, _, _, g, h, i, j, ..]) = rest.first_chunk::<HEADER>()
            {
                let length = u32::from_ne_bytes([a, b, c, d]) as usize;
                if u32::from_ne_bytes([g, h, i, j]) != number {
                    break;
                }
                answered = true;
                if matches!(u16::from_ne_bytes([e, f]), NLMSG_DONE | NLMSG_ERROR) {
                    return;
                }
                let Some(text) = rest.get(HEADER..length) else { return };
                Socket::parse(text).into_iter().for_each(&mut *each);
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
            if one && answered || got == 0 {
                return;
            }
        }
    }
}

impl Drop for SockDiag {
    fn drop(&mut self) {
        // SAFETY: a descriptor of our own.
        unsafe { syscall6(libc::SYS_close, self.fd as usize, 0, 0, 0, 0, 0) };
    }
}
