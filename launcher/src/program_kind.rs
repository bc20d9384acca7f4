//! Which kind of program a command or a process is.

use engine::programs::elf::{self, Program, ReadAt, follow};
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file to be looked at.
struct Image(File);

impl ReadAt for Image {
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize {
        FileExt::read_at(&self.0, to, offset).unwrap_or(0)
    }
}

fn open(path: &Path) -> Option<Image> {
    path.metadata().ok()?.is_file().then(|| File::open(path).ok().map(Image))?
}

/// Of the program, or of the interpreter of the script, that `path` names.
pub fn of_file(path: &Path) -> Option<Program> {
    follow(open(path)?, |interpreter| open(Path::new(OsStr::from_bytes(interpreter))))
}

/// Has the program at `path` Go's runtime?
pub fn is_go(path: &Path) -> bool {
    open(path).is_some_and(|mut image| elf::is_go(&mut image))
}

/// Of a command's first word.
pub fn of_command(name: &OsStr) -> Option<Program> {
    of_file(&find(name)?)
}

/// The file that a command's first word names, looked for in `PATH` as execvp(3) does it.
pub fn find(name: &OsStr) -> Option<PathBuf> {
    let runs = |file: &PathBuf| {
        file.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if name.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(runs)
}

/// Why the process, which was started in the session, has not loaded the library; `None` if nothing
/// speaks against it.
pub fn why_alone(pid: u32) -> Option<&'static str> {
    match of_file(&PathBuf::from(format!("/proc/{pid}/exe"))) {
        Some(Program::Static) => Some("it is statically linked"),
        Some(Program::OtherLibc) => Some("its libc is not glibc"),
        Some(Program::Foreign) => Some("it is not an x86-64 program"),
        _ if has_privileges(pid) => Some("it has privileges of its own"),
        _ => None,
    }
}

/// Was it started with AT_SECURE: a set-user-ID program, or one with capabilities? True also if the
/// launcher may not ask.
fn has_privileges(pid: u32) -> bool {
    let Ok(vector) = std::fs::read(format!("/proc/{pid}/auxv")) else { return true };
    let (words, _) = vector.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    pairs.iter().any(|&[key, value]| {
        u64::from_ne_bytes(key) == libc::AT_SECURE && u64::from_ne_bytes(value) != 0
    })
}
