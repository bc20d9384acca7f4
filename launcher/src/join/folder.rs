//! Where the sockets of named sessions are: a folder of this user's alone.

use crate::report::messages::why;
use nix::unistd::geteuid;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

/// The folder: in `$XDG_RUNTIME_DIR`, or in `/tmp` under the user's number. Made if there is none.
///
/// # Errors
/// One line: it cannot be made, or it is somebody else's.
pub fn find() -> Result<PathBuf, String> {
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("flux"),
        None => PathBuf::from(format!("/tmp/flux-{}", geteuid())),
    };
    let bad =
        |reason: &str| format!("cannot use {} for named sessions: {reason}", folder.display());
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(bad(&why(&e))),
        _ => {}
    }
    // Not through a link of somebody else's.
    let about = folder.symlink_metadata().map_err(|e| bad(&why(&e)))?;
    let own = about.is_dir() && about.uid() == geteuid().as_raw() && about.mode() & 0o077 == 0;
    if own { Ok(folder) } else { Err(bad("it is not this user's alone")) }
}
