//! Frozen control groups: see cgroups(7).
//!
//! A frozen thread is as good as stopped by a signal. In a cgroup of version 2 it sleeps on its way
//! out of the kernel, and `stat` says `S`, as of a thread that waits. In one of version 1 it says
//! `D`, as of a thread that waits for a disk. So its cgroup has to be asked.

use engine::procfs::{File, Path};
use std::ffi::CStr;

/// Where the hierarchy of version 2 is mounted, alone or beside those of version 1.
const VERSION_2: [&[u8]; 2] = [b"/sys/fs/cgroup", b"/sys/fs/cgroup/unified"];
/// The freezer of version 1.
const VERSION_1: &[u8] = b"/sys/fs/cgroup/freezer";

/// Is the thread in a cgroup that is frozen, as a whole and by now?
pub fn is_frozen(pid: u32, tid: u32) -> bool {
    let mut text = [0u8; 4096];
    let text = Path::thread(pid, tid, "cgroup").read(&mut text).unwrap_or_default();
    text.split(|&byte| byte == b'\n').any(|line| match hierarchy(line) {
        Some((b"", folder)) => {
            VERSION_2.iter().any(|mount| says(&[mount, folder, b"/cgroup.events"], b"frozen 1"))
        }
        Some((b"freezer", folder)) => says(&[VERSION_1, folder, b"/freezer.state"], b"FROZEN"),
        _ => false,
    })
}

/// The controllers and the folder of one line, `NUMBER:CONTROLLERS:FOLDER`. The root cannot be
/// frozen, and is no answer.
fn hierarchy(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = line.splitn(3, |&byte| byte == b':');
    let (_, controllers, folder) = (fields.next()?, fields.next()?, fields.next()?);
    (folder != b"/").then_some((controllers, folder))
}

/// Has the file a line that is `words`?
fn says(path: &[&[u8]], words: &[u8]) -> bool {
    let (mut name, mut text) = ([0u8; 1024], [0u8; 256]);
    let mut end = 0;
    for part in path {
        // One that does not fit is cut, and then there is no such file.
        let part = &part[..part.len().min(name.len() - 1 - end)];
        name[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    let read = CStr::from_bytes_until_nul(&name)
        .ok()
        .and_then(|name| File::named(name).ok()?.read_at_start(&mut text).ok());
    read.is_some_and(|n| text[..n].split(|&byte| byte == b'\n').any(|line| line == words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_file() {
        assert_eq!(hierarchy(b"0::/a:b/c"), Some((&b""[..], &b"/a:b/c"[..])));
        assert_eq!(hierarchy(b"6:freezer:/x"), Some((&b"freezer"[..], &b"/x"[..])));
        assert_eq!(hierarchy(b"0::/"), None);
        assert_eq!(hierarchy(b""), None);
    }
}
