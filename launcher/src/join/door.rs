//! The socket of a named session, and the thread that listens on it.

use super::folder;
use super::request::Request;
use crate::report::messages::why;
use nix::sys::eventfd::EventFd;
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::geteuid;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Real time for a guest to say what it wants. Then the next one is heard.
const SAYS: Duration = Duration::from_secs(5);

/// A session's name, and who wants to join it.
pub struct Door {
    socket: PathBuf,
    /// Locked as long as the session lives: no other session gets the name.
    _lock: File,
    requests: Receiver<(UnixStream, Request)>,
}

impl Door {
    /// Takes the name, and listens; `knock` hears of each request.
    ///
    /// # Errors
    /// One line: the name is taken, or the socket cannot be made.
    pub fn open(name: &str, knock: Arc<EventFd>) -> Result<Door, String> {
        let folder = folder::find()?;
        let failed = |e: &std::io::Error| format!("cannot name the session {name}: {}", why(e));
        let lock = folder.join(format!("{name}.lock"));
        let lock = File::options().create(true).append(true).open(lock).map_err(|e| failed(&e))?;
        lock.try_lock().map_err(|_| format!("a session named {name} is running already"))?;
        let socket = folder.join(name);
        // Who finds the socket finds somebody listen on it. One that is left over is of a session
        // that was killed.
        let early = folder.join(format!(".{name}"));
        let _ = fs::remove_file(&early);
        let listener = UnixListener::bind(&early).map_err(|e| failed(&e))?;
        fs::rename(&early, &socket).map_err(|e| failed(&e))?;
        let (tell, requests) = channel();
        let listen = move || {
            for mut stream in listener.incoming().flatten() {
                let heard = is_own(&stream)
                    && stream.set_read_timeout(Some(SAYS)).is_ok()
                    && Request::receive(&mut stream)
                        .is_ok_and(|request| tell.send((stream, request)).is_ok());
                if heard {
                    let _ = knock.write(1);
                }
            }
        };
        std::thread::Builder::new().spawn(listen).map_err(|e| failed(&e))?;
        Ok(Door { socket, _lock: lock, requests })
    }

    /// The next request, if there is one.
    pub fn request(&self) -> Option<(UnixStream, Request)> {
        self.requests.try_recv().ok()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.socket);
    }
}

/// Is this user at the other end? The folder lets nobody else in; root could.
fn is_own(stream: &UnixStream) -> bool {
    getsockopt(&stream.as_fd(), sockopt::PeerCredentials)
        .is_ok_and(|peer| peer.uid() == geteuid().as_raw())
}
