//! The commands that have joined the session, and who waits for them outside.

use super::door::Door;
use super::request::{Answer, Request};
use crate::refusal;
use crate::report::messages;
use crate::session::Session;
use nix::poll::{PollFd, PollFlags};
use nix::sys::eventfd::EventFd;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// What a guest may send its command.
const FORWARDED: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// The guests of a session.
pub struct Guests {
    door: Option<Door>,
    knock: Arc<EventFd>,
    here: Vec<Guest>,
}

/// A command that has joined.
struct Guest {
    pid: Pid,
    /// `None` if whoever waited for it has gone.
    stream: Option<UnixStream>,
}

impl Guests {
    /// None yet. `knock` says when `door` has a request.
    pub fn new(door: Option<Door>, knock: Arc<EventFd>) -> Guests {
        Guests { door, knock, here: vec![] }
    }

    /// Is none of their commands left?
    pub fn none(&self) -> bool {
        self.here.is_empty()
    }

    /// What to wait for.
    pub fn descriptors(&self) -> impl Iterator<Item = PollFd<'_>> {
        let streams = self.here.iter().filter_map(|guest| guest.stream.as_ref());
        std::iter::once(self.knock.as_fd())
            .chain(streams.map(AsFd::as_fd))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
    }

    /// Starts what was asked for, and passes on signals. `nth` numbers the commands of the session.
    pub fn look(&mut self, session: &Session, nth: &mut u64) {
        if self.knock.read().is_ok() {
            while let Some((stream, request)) = self.door.as_ref().and_then(Door::request) {
                self.start(session, *nth, stream, request);
                *nth += 1;
            }
        }
        for guest in &mut self.here {
            guest.hear();
        }
    }

    fn start(&mut self, session: &Session, nth: u64, mut stream: UnixStream, request: Request) {
        let words = request.words.clone();
        match session.start_guest(request, nth) {
            Ok(child) => {
                messages::verbose(2, || {
                    format!("process {} joins: {}", child.id(), words[0].to_string_lossy())
                });
                let _ = stream.set_nonblocking(true);
                self.here
                    .push(Guest { pid: Pid::from_raw(child.id() as i32), stream: Some(stream) });
            }
            Err(e) => {
                let (status, text) = refusal::of(&words, &e);
                let _ = Answer::Refused(status, text).send(&mut stream);
            }
        }
    }

    /// Process `pid` has ended; true if it was a guest.
    pub fn ended(&mut self, pid: Pid, status: u8) -> bool {
        let Some(at) = self.here.iter().position(|guest| guest.pid == pid) else { return false };
        if let Some(mut stream) = self.here.swap_remove(at).stream {
            let _ = Answer::Ended(status).send(&mut stream);
        }
        true
    }
}

impl Guest {
    /// Passes on signals. Where nobody waits any more the command is told as by a terminal that is
    /// gone.
    fn hear(&mut self) {
        while let Some(stream) = &mut self.stream {
            let mut byte = [0];
            let signal = match stream.read(&mut byte) {
                Ok(1) => FORWARDED.into_iter().find(|&signal| signal as i32 == byte[0] as i32),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return,
                _ => {
                    self.stream = None;
                    Some(Signal::SIGHUP)
                }
            };
            if let Some(signal) = signal {
                let _ = kill(self.pid, signal);
            }
        }
    }
}
