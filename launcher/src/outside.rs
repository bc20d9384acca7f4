//! A command outside the session, in real time, without the library and the tracer (`--real`).

use crate::report::messages;
use crate::{inherited, program_kind, reach, refusal, region, session};
use engine::arch::syscall::syscall6;
use engine::programs::preload::Form;
use engine::region::named_holds::name_of;
use engine::{Engine, Kind, Page};
use nix::sys::signal::SigSet;
use posix::names::{FLUX, FLUX_OUTSIDE, LD_PRELOAD};
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, id};
use std::sync::atomic::Ordering::SeqCst;

/// There is no session: the command runs as it is, in the place of this process. Returns if it does
/// not.
pub fn run(words: &[OsString]) -> u8 {
    messages::verbose(1, || "there is no session: the command runs as it is".to_owned());
    let mask = SigSet::thread_get_mask().unwrap_or_else(|_| SigSet::empty());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    inherited::restore();
    let _ = mask.thread_set_mask();
    let (status, text) = refusal::of(words, &command.exec());
    messages::say(&text);
    status
}

/// The name of the hold that lasts while the command runs.
pub fn name(words: &[OsString]) -> String {
    let file = Path::new(&words[0]).file_name().unwrap_or_default();
    let name = format!("--real {}", file.to_string_lossy());
    name_of(name.as_bytes()).map_or("--real".to_owned(), |_| name)
}

/// The command leaves the session of this process in the moment in which it is executed. The hook
/// of exec(3), which would give it the session back, is passed by. [`left`] follows.
pub fn leave(command: &mut Command, words: &[OsString]) {
    // Where there is none, the failure to execute it says so.
    let Some(file) = program_kind::find(&words[0]) else { return };
    let strings = |list: &mut dyn Iterator<Item = OsString>| -> Vec<CString> {
        list.filter_map(|text| CString::new(text.into_vec()).ok()).collect()
    };
    let file = strings(&mut std::iter::once(file.into_os_string()));
    let arguments = strings(&mut words.iter().cloned());
    let environment = strings(&mut environment().into_iter());
    let array = |list: &[CString]| -> Vec<usize> {
        list.iter().map(|text| text.as_ptr() as usize).chain([0]).collect()
    };
    let (argv, env) = (array(&arguments), array(&environment));
    let asks = region::of_environment().filter(|_| meets_filter());
    // SAFETY: system calls and atomics. The strings live as long as the closure that has them.
    unsafe {
        command.pre_exec(move || {
            let (_, _) = (&arguments, &environment);
            if let Some(page) = asks {
                ask(page);
            }
            let [argv, env] = [argv.as_ptr() as usize, env.as_ptr() as usize];
            let failed = syscall6(libc::SYS_execve, file[0].as_ptr() as usize, argv, env, 0, 0, 0);
            Err(io::Error::from_raw_os_error(-failed as i32))
        });
    }
}

/// The command has left the session as process `pid`: nobody is to wait for it.
pub fn left(pid: u32) {
    let Some(page) = region::of_environment().filter(|page| region::has_our_numbers(page)) else {
        return;
    };
    for slot in (0..page.high()).filter(|&i| page.slots[i].pid.load(SeqCst) == pid) {
        let seen = page.slots[slot].state.load();
        if seen.kind() != Kind::Free {
            page.release_seen(slot, seen);
        }
    }
}

/// The environment without what leads into the session.
fn environment() -> Vec<OsString> {
    let library = std::env::var_os(FLUX.library.text()).unwrap_or_default();
    let of_session = [FLUX.session, FLUX.library, FLUX.slot, LD_PRELOAD].map(|name| name.text());
    let mut list: Vec<OsString> = std::env::vars_os()
        .filter(|(name, _)| of_session.iter().all(|ours| name != ours))
        .map(|(name, value)| entry(&name, &value))
        .collect();
    let preload = std::env::var_os(LD_PRELOAD.text()).unwrap_or_default();
    let mut theirs = Vec::new();
    let put = &mut |piece: &[u8]| theirs.extend_from_slice(piece);
    Form::Out.value(library.as_bytes(), preload.as_bytes(), put);
    if !theirs.is_empty() {
        list.push(entry(OsStr::new(LD_PRELOAD.text()), OsStr::from_bytes(&theirs)));
    }
    list.push(entry(OsStr::new(FLUX_OUTSIDE.text()), OsStr::new("1")));
    list
}

fn entry(name: &OsStr, value: &OsStr) -> OsString {
    OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat())
}

/// Has this process a filter of a traced ancestor, and no tracer? What the command has where that
/// one's code was would fail without a tracer.
fn meets_filter() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is = |name: &str, value: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.is_some_and(|line| line.trim() == value)
    };
    is("Seccomp:", "2") && is("TracerPid:", "0")
}

/// Lets the tracer come along. Where it does not come, nothing was lost.
fn ask(page: &'static Page) {
    // SAFETY: no arguments.
    let tid = unsafe { libc::gettid() } as u32;
    let (real_now, process) = (session::real_now, id);
    let engine = Engine { page, pid: id(), real_now, process, reach: &reach::Nobody };
    if let Some(slot) = page.find(id(), tid).filter(|_| region::has_our_numbers(page)) {
        engine.ask_for_program(slot, id());
    }
}
