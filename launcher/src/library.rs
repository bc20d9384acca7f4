//! Where libflux.so is, and by which path programs load it.
//!
//! ld.so(8) takes spaces and colons in LD_PRELOAD for separators, and expands words that begin with
//! a dollar. So a library in a folder with such bytes is loaded by a link to it that has none.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf, absolute};

/// Name of the library.
const LIBRARY: &str = "libflux.so";
/// Folders for a link, after `TMPDIR`.
const FOLDERS: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// The library, by a path that LD_PRELOAD can hold.
pub struct Library {
    path: PathBuf,
    /// A folder that was made for a link.
    folder: Option<PathBuf>,
}

impl Library {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Library {
    /// If the launcher is killed, the link stays: programs that go on without it still execute
    /// others.
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Finds libflux.so: in `--libpath`'s folder, beside this program, or in `../lib`.
///
/// # Errors
/// One line: it is nowhere, or no link to it can be made where one is needed.
pub fn find(libpath: Option<&Path>) -> Result<Library, String> {
    let folders: Vec<PathBuf> = match libpath {
        Some(folder) => vec![folder.to_path_buf()],
        None => {
            let program =
                std::env::current_exe().map_err(|e| format!("cannot find out where I am: {e}"))?;
            let beside = program.parent().unwrap_or(Path::new("/")).to_path_buf();
            let lib = beside.parent().map(|p| p.join("lib"));
            [Some(beside), lib].into_iter().flatten().collect()
        }
    };
    for folder in &folders {
        if let Ok(path) = folder.join(LIBRARY).canonicalize() {
            // The path as it was given may be a link that does it.
            let given = absolute(folder.join(LIBRARY)).ok().filter(|given| can_be_listed(given));
            return match given {
                _ if can_be_listed(&path) => Ok(Library { path, folder: None }),
                Some(path) => Ok(Library { path, folder: None }),
                None => link(&path),
            };
        }
    }
    let places: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    Err(format!(
        "{LIBRARY} is not in {}; name its folder with --libpath=DIR",
        places.join(" nor in ")
    ))
}

/// May LD_PRELOAD hold this path?
fn can_be_listed(path: &Path) -> bool {
    !path.as_os_str().as_bytes().iter().any(|byte| b" :$".contains(byte))
}

/// A link to the library, in a folder of its own that others can read.
fn link(library: &Path) -> Result<Library, String> {
    let pid = std::process::id();
    let named = std::env::temp_dir();
    let folders = [named.as_path()].into_iter().chain(FOLDERS.map(Path::new));
    let mut why = None;
    for parent in folders.filter(|parent| parent.is_absolute() && can_be_listed(parent)) {
        // Nobody else's folder: making it fails where the name is taken.
        let made = (0..100).find_map(|n| {
            let folder = parent.join(format!("flux-launch-{pid}-{n}"));
            match std::fs::create_dir(&folder) {
                Ok(()) => Some(Ok(folder)),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => None,
                Err(e) => Some(Err(e)),
            }
        });
        let linked = made.transpose().and_then(|made| {
            let Some(folder) = made else { return Ok(None) };
            let link = Library { path: folder.join(LIBRARY), folder: Some(folder) };
            symlink(library, &link.path).map(|()| Some(link))
        });
        match linked {
            Ok(Some(link)) => return Ok(link),
            Ok(None) => {}
            Err(e) => why = Some(e),
        }
    }
    let why = why.map_or(String::new(), |e| format!(" ({e})"));
    Err(format!(
        "LD_PRELOAD cannot hold the path {}, and there is no folder for a link to it{why}; name \
         another with --libpath=DIR",
        OsStr::new(library).display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_for_the_list() {
        assert!(can_be_listed(Path::new("/a-b/ü,;'\"\n/libflux.so")));
        for path in ["/a b/x", "/a:b/x", "/a/$ORIGIN/x"] {
            assert!(!can_be_listed(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_link_lives_as_long_as_its_owner() {
        let link = link(Path::new("/a b/libflux.so")).expect("a folder for temporary files");
        let path = link.path().to_path_buf();
        assert!(can_be_listed(&path));
        assert_eq!(path.read_link().expect("a link"), Path::new("/a b/libflux.so"));
        drop(link);
        assert!(!path.parent().expect("its folder").exists());
    }
}
