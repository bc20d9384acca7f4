//! `--join`: this process is outside, and its command joins a session.

use super::folder;
use super::request::{Answer, Request};
use crate::cli::{OWN_FAILURE, USAGE};
use crate::report::messages::{self, why};
use crate::{program_kind, refusal};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;

/// Passed on to the command.
const FORWARDED: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Runs the command in the session `name`; returns its exit status.
pub fn run(name: &str, words: &[OsString]) -> u8 {
    let nobody = || format!("no session is named {name}; start one with flux-launch --name {name}");
    let connected = folder::find()
        .map_err(|text| (OWN_FAILURE, text))
        .and_then(|folder| UnixStream::connect(folder.join(name)).map_err(|_| (USAGE, nobody())));
    let ended = connected.and_then(|stream| ask(stream, words));
    ended.unwrap_or_else(|(status, text)| {
        messages::say(&text);
        status
    })
}

fn ask(mut stream: UnixStream, words: &[OsString]) -> Result<u8, (u8, String)> {
    let failed = |e: &io::Error| (OWN_FAILURE, format!("cannot join the session: {}", why(e)));
    let request = request(words).map_err(|e| refusal::of(words, &e))?;
    let mut set = SigSet::empty();
    FORWARDED.into_iter().for_each(|signal| set.add(signal));
    let signals = set
        .thread_block()
        .and_then(|()| SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK))
        .map_err(|e| failed(&e.into()))?;
    request.send(&mut stream).map_err(|e| failed(&e))?;
    drop(request);
    loop {
        let mut fds = [
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(stream.as_fd(), PollFlags::POLLIN),
        ];
        let _ = poll(&mut fds, PollTimeout::NONE);
        let answered = fds[1].any().unwrap_or(false);
        while let Ok(Some(signal)) = signals.read_signal() {
            // Where the session is gone, the answer says so.
            let _ = stream.write_all(&[signal.ssi_signo as u8]);
        }
        if answered {
            return match Answer::receive(&mut stream) {
                Ok(Answer::Ended(status)) => Ok(status),
                Ok(Answer::Refused(status, text)) => Err((status, text)),
                Err(_) => Err((OWN_FAILURE, "the session has ended".to_owned())),
            };
        }
    }
}

fn request(words: &[OsString]) -> io::Result<Request> {
    let found = program_kind::find(&words[0]).ok_or(io::ErrorKind::NotFound);
    let found = found.map_err(|_| io::Error::from_raw_os_error(libc::ENOENT))?;
    let copy = |fd: io::Result<OwnedFd>| match fd {
        Ok(fd) => Ok(fd),
        // It was closed when this process was started.
        Err(_) => File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from),
    };
    Ok(Request {
        program: std::path::absolute(found)?.into_os_string(),
        words: words.to_vec(),
        environment: std::env::vars_os().map(|(name, value)| entry(&name, &value)).collect(),
        descriptors: vec![
            copy(io::stdin().as_fd().try_clone_to_owned())?,
            copy(io::stdout().as_fd().try_clone_to_owned())?,
            copy(io::stderr().as_fd().try_clone_to_owned())?,
            File::open(".")?.into(),
        ],
    })
}

fn entry(name: &OsStr, value: &OsStr) -> OsString {
    OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())
}
