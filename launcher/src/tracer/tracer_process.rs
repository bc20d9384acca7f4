//! The launcher's side: starts the tracer's process when somebody first asks for it, and ends it.

use crate::patience::TRACER_STARTS;
use crate::report::messages;
use crate::session::Session;
use engine::region::tracer_word::{ASKS, ASKS_FOR_CHILD, NONE, TRACED, Trace};
use engine::{Engine, sys};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use posix::names::{FLUX, FLUX_TRACER};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Instead of the process's number: the session ends.
const OVER: u32 = u32::MAX;

/// The tracer's process, as it were: it may not have been needed yet.
pub struct TracerProcess {
    /// Its number, 0 or [`OVER`].
    pid: AtomicU32,
    /// The thread that starts the process and waits for it. There is none before a thread has asked
    /// for the tracer: most sessions need none.
    thread: Mutex<Option<JoinHandle<()>>>,
    engine: Engine,
    region: OsString,
    library: PathBuf,
}

impl TracerProcess {
    /// Nobody has asked yet.
    pub fn new(session: &Session) -> Arc<TracerProcess> {
        let (region, library) = (session.name.clone(), session.library.path().to_path_buf());
        Arc::new(TracerProcess {
            pid: AtomicU32::new(0),
            thread: Mutex::default(),
            engine: session.engine,
            region,
            library,
        })
    }

    /// The tracer's number, 0 if there is none.
    pub fn pid(&self) -> u32 {
        match self.pid.load(SeqCst) {
            OVER => 0,
            pid => pid,
        }
    }

    /// For the keeper, before each look: has somebody asked, and nobody heard it yet? A request is
    /// counted before the keeper is kicked ([`Engine::ask_tracer`]). So either this very look sees
    /// it, or the kick is on record and the next one does.
    pub fn hear(self: &Arc<Self>) {
        let page = self.engine.page;
        if page.header.tracer_asked.load(SeqCst) == 0 || page.trace() == Trace::None {
            return;
        }
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() && self.pid.load(SeqCst) != OVER {
            let process = Arc::clone(self);
            match std::thread::Builder::new().spawn(move || process.watch()) {
                Ok(watches) => *thread = Some(watches),
                Err(e) => self.refused(&e.to_string()),
            }
        }
    }

    /// There is no tracer; nobody shall ask for it again.
    fn refused(&self, why: &str) {
        self.engine.page.header.trace.store(Trace::None as u32, SeqCst);
        messages::say(&format!(
            "cannot start the tracer: {why}; statically linked programs run in real time"
        ));
    }

    /// The session is over.
    pub fn end(&self) {
        end(self.pid.swap(OVER, SeqCst));
        self.engine.page.wake_tracer();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Starts the tracer's process when somebody asks for it, and again if it was killed. The
    /// thread that starts the process waits for it too. The launcher's main thread waits for its
    /// own children alone, so it never meets this one.
    fn watch(&self) {
        let TracerProcess { engine, pid, .. } = self;
        let header = &engine.page.header;
        let mut why = "it has been killed too often".to_owned();
        for _ in 0..TRACER_STARTS {
            if !asked(engine, pid) {
                return;
            }
            match start(&self.region, &self.library) {
                Ok(mut child) => {
                    if pid.compare_exchange(0, child.id(), SeqCst, SeqCst).is_err() {
                        end(child.id());
                    }
                    let _ = child.wait();
                    let _ = pid.compare_exchange(child.id(), 0, SeqCst, SeqCst);
                }
                Err(e) => {
                    why = e.to_string();
                    break;
                }
            }
            // Its tracees have ended with it, and nobody else gives their slots back. It may not
            // have answered all.
            for slot in &engine.page.slots[..engine.page.high()] {
                match slot.tracer.load(SeqCst) {
                    TRACED.. => slot.tracer.store(NONE, SeqCst),
                    ASKS | ASKS_FOR_CHILD => _ = header.tracer_asked.fetch_add(1, SeqCst),
                    _ => {}
                }
            }
            engine.kick_keeper();
        }
        if pid.load(SeqCst) != OVER {
            self.refused(&why);
        }
    }
}

fn end(pid: u32) {
    if ![0, OVER].contains(&pid) {
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
    }
}

/// Waits until somebody asks; false when the session ends.
fn asked(engine: &Engine, pid: &AtomicU32) -> bool {
    let header = &engine.page.header;
    loop {
        let seen = header.tracer.load(SeqCst);
        if pid.load(SeqCst) == OVER {
            return false;
        }
        if header.tracer_asked.load(SeqCst) != 0 {
            return true;
        }
        sys::futex_wait(&header.tracer, seen, None, false);
    }
}

fn start(region: &OsStr, library: &Path) -> io::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command
        .env_clear()
        .env(FLUX_TRACER.text(), region)
        .env(FLUX.library.text(), library)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let Some(file) = messages::output() {
        command.stderr(file);
    }
    // Not in the terminal's foreground group: it has to go on when the commands are stopped or
    // interrupted.
    command.process_group(0);
    let launcher = std::process::id() as libc::pid_t;
    // SAFETY: plain system calls.
    unsafe {
        command.pre_exec(move || {
            // The process ends when the thread that started it ends, and so when the launcher does.
            // That may have been before this call.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != launcher {
                // Nobody is left to be told.
                libc::_exit(1);
            }
            // No other process may hold open what the launcher was given.
            libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
            Ok(())
        });
    }
    command.spawn()
}
