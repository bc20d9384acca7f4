//! What goes over the socket: a command, and what becomes of it.

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;

/// A command of somebody outside.
pub struct Request {
    /// Its file, an absolute path.
    pub program: OsString,
    /// The command.
    pub words: Vec<OsString>,
    /// Its environment, `NAME=value` each.
    pub environment: Vec<OsString>,
    /// Standard input, output and error, and the current folder.
    pub descriptors: Vec<OwnedFd>,
}

/// What a command that joined comes to.
pub enum Answer {
    /// It has ended with this status.
    Ended(u8),
    /// It was not started: the status, and a line.
    Refused(u8, String),
}

/// Descriptors handed over.
const DESCRIPTORS: usize = 4;
/// Longest text, and most texts: more than the kernel lets a program have.
const MOST: u32 = 1 << 24;

fn bad() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn put(to: &mut Vec<u8>, list: &[OsString]) {
    to.extend((list.len() as u32).to_ne_bytes());
    for text in list {
        to.extend((text.len() as u32).to_ne_bytes());
        to.extend(text.as_bytes());
    }
}

fn number(from: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Some(u32::from_ne_bytes(bytes)).filter(|&number| number <= MOST).ok_or_else(bad)
}

fn text(from: &mut impl Read) -> io::Result<OsString> {
    let mut bytes = vec![0; number(from)? as usize];
    from.read_exact(&mut bytes)?;
    Ok(OsString::from_vec(bytes))
}

fn list(from: &mut impl Read) -> io::Result<Vec<OsString>> {
    (0..number(from)?).map(|_| text(from)).collect()
}

impl Request {
    /// Hands it over.
    pub fn send(&self, to: &mut UnixStream) -> io::Result<()> {
        let numbers: Vec<RawFd> = self.descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&numbers)];
        sendmsg::<()>(to.as_raw_fd(), &[IoSlice::new(b"J")], &rights, MsgFlags::empty(), None)?;
        let mut bytes = vec![];
        put(&mut bytes, std::slice::from_ref(&self.program));
        put(&mut bytes, &self.words);
        put(&mut bytes, &self.environment);
        to.write_all(&bytes)
    }

    /// Takes one.
    pub fn receive(from: &mut UnixStream) -> io::Result<Request> {
        let mut byte = [0];
        let mut room = nix::cmsg_space!([RawFd; DESCRIPTORS]);
        let mut parts = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(from.as_raw_fd(), &mut parts, Some(&mut room), flags)?;
        let mut descriptors = vec![];
        for part in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = part {
                // SAFETY: the kernel has just made them for this process, and nobody else has them.
                descriptors
                    .extend(numbers.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
        let program = list(from)?.pop().ok_or_else(bad)?;
        let (words, environment) = (list(from)?, list(from)?);
        if words.is_empty() || descriptors.len() != DESCRIPTORS {
            return Err(bad());
        }
        Ok(Request { program, words, environment, descriptors })
    }
}

impl Answer {
    /// Hands it back.
    pub fn send(&self, to: &mut UnixStream) -> io::Result<()> {
        let (status, line) = match self {
            Answer::Ended(status) => (*status, ""),
            Answer::Refused(status, line) => (*status, line.as_str()),
        };
        let mut bytes = vec![status];
        put(&mut bytes, &[line.into()]);
        to.write_all(&bytes)
    }

    /// Takes it.
    pub fn receive(from: &mut UnixStream) -> io::Result<Answer> {
        let mut status = [0];
        from.read_exact(&mut status)?;
        let line = list(from)?.pop().ok_or_else(bad)?;
        Ok(match line.is_empty() {
            true => Answer::Ended(status[0]),
            false => Answer::Refused(status[0], line.to_string_lossy().into_owned()),
        })
    }
}
