//! What kind of program a command is, before it runs. See [`engine::elf`].

use engine::elf::{Program, ReadAt, SCRIPT_LINE, classify, script_interpreter};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

struct Opened(File);

impl ReadAt for Opened {
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize {
        self.0.read_at(to, offset).unwrap_or(0)
    }
}

/// Interpreters of interpreters, as many as Linux follows.
const DEPTH: usize = 4;

/// The kind of the program that the kernel would start for `path`: a script's is its interpreter's.
pub fn of_file(path: &Path) -> Option<Program> {
    let mut path = path.to_path_buf();
    for _ in 0..DEPTH {
        let mut file = Opened(File::open(&path).ok()?);
        if let Some(program) = classify(&mut file) {
            return Some(program);
        }
        let mut head = [0; SCRIPT_LINE];
        let n = file.read_at(0, &mut head);
        path = Path::new(OsStr::from_bytes(script_interpreter(&head[..n])?)).to_path_buf();
    }
    None
}

/// The file that a command's name means, as execvp(3) finds it.
pub fn named(name: &OsStr) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let executable = |path: &PathBuf| path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(executable)
}
