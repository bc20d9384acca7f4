//! flux-launch inside a session: its commands run in that session, whose clock and launcher they
//! share.
//!
//! This process has the library like any other program, so its children join by themselves, and its
//! own waits are virtual; unless it was started by a program that could not hand the library on,
//! which is therefore named anew. What is left to do is to start them, to pass signals on, and to
//! give back their exit status.

use crate::cli::{Cli, OWN_FAILURE};
use crate::holder::Hold;
use crate::report::messages;
use crate::{outside, refusal, region, session};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use posix::names::FLUX;
use std::ffi::OsString;
use std::path::Path;

/// Passed on to the commands.
const FORWARDED: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];
/// What the next command waits for after the one before, virtual time: long enough for that one to
/// come to rest first.
static BETWEEN: libc::timespec = libc::timespec { tv_sec: 1, tv_nsec: 0 };

/// Is this process part of a session whose launcher lives and is of our build?
pub fn inside() -> bool {
    std::env::var_os(FLUX.session.text()).is_some_and(|name| region::map(&name).is_ok())
}

/// Runs the commands to their end; returns the exit status. What they leave behind is the outer
/// launcher's.
pub fn run(cli: &Cli, commands: &[Vec<OsString>]) -> u8 {
    messages::verbose(1, || {
        let options = [
            ("--clock", cli.clock.is_some()),
            ("--start", cli.start.is_some()),
            ("--until", cli.until.is_some()),
        ];
        let ignored = options.into_iter().filter(|option| option.1).map(|option| option.0);
        let ignored = match ignored.collect::<Vec<_>>()[..] {
            [] => String::new(),
            [one] => format!("; its clock goes on as it is, {one} is ignored"),
            ref all => format!("; its clock goes on as it is, {} are ignored", all.join(", ")),
        };
        format!("inside a session: the commands join it{ignored}")
    });
    let hold = match cli.hold.clone().or_else(|| cli.real.then(|| outside::name(&commands[0]))) {
        Some(name) => match Hold::begin(&name) {
            Ok(hold) => Some(hold),
            Err(text) => {
                messages::say(&text);
                return OWN_FAILURE;
            }
        },
        None => None,
    };
    let status = run_all(cli, commands);
    drop(hold);
    status
}

/// See [`run`].
fn run_all(cli: &Cli, commands: &[Vec<OsString>]) -> u8 {
    let mask = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
    let mut set = SigSet::empty();
    FORWARDED.into_iter().chain([Signal::SIGCHLD]).for_each(|s| set.add(s));
    if let Err(e) = set.thread_block() {
        messages::say(&format!("cannot watch for signals: {e}"));
        return OWN_FAILURE;
    }
    let (mut waiting, mut running, mut status) = (commands, Vec::new(), 0);
    let mut next = true;
    loop {
        if let (true, Some((words, later))) = (next, waiting.split_first()) {
            let mut command = session::command(words, mask);
            if cli.real {
                outside::leave(&mut command, words);
            } else if let Some(library) = std::env::var_os(FLUX.library.text()) {
                session::preload(&mut command, Path::new(&library));
            }
            match command.spawn() {
                Ok(child) => {
                    messages::verbose(2, || {
                        format!("process {} runs {}", child.id(), words[0].to_string_lossy())
                    });
                    if cli.real {
                        outside::left(child.id());
                    }
                    running.push(Pid::from_raw(child.id() as i32));
                    waiting = later;
                }
                Err(e) => {
                    let (failed, text) = refusal::of(words, &e);
                    messages::say(&text);
                    send(&running, Signal::SIGTERM);
                    return failed;
                }
            }
        }
        running.retain(|&pid| match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => {
                status = status.max(code as u8);
                false
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                status = status.max(128 + signal as i32 as u8);
                false
            }
            Err(e) => e == Errno::EINTR,
            Ok(_) => true,
        });
        if running.is_empty() && waiting.is_empty() {
            return status;
        }
        next = match wait(&set, !waiting.is_empty()) {
            Some((number, code)) => {
                // A signal from the terminal has reached the commands already: it goes to the whole
                // foreground process group.
                const SI_KERNEL: i32 = 0x80;
                let signal =
                    FORWARDED.into_iter().find(|&s| s as i32 == number && code != SI_KERNEL);
                signal.into_iter().for_each(|signal| send(&running, signal));
                false
            }
            None => true,
        };
    }
}

fn send(pids: &[Pid], signal: Signal) {
    for &pid in pids {
        let _ = kill(pid, signal);
    }
}

/// The next signal, its number and code; `None` when the time for the next command has come.
fn wait(set: &SigSet, next: bool) -> Option<(i32, i32)> {
    // SAFETY: zero is a valid value of all fields.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let timeout = if next { &raw const BETWEEN } else { std::ptr::null() };
    // SAFETY: valid pointers, or null for no time-out.
    let number = unsafe { libc::sigtimedwait(set.as_ref(), &mut info, timeout) };
    match number {
        -1 if Errno::last() == Errno::EAGAIN => None,
        number => Some((number, info.si_code)),
    }
}
