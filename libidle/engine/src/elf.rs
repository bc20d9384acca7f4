//! What kind of program a file holds: can the preloaded library speak for it?

/// What has to be done for a program to join the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// Dynamically linked with glibc: it loads the library.
    Shimmed,
    /// The same, but its runtime makes system calls of its own as a rule: Go with cgo.
    ShimmedRaw,
    /// Statically linked: nobody loads the library.
    Static,
    /// Dynamically linked with another libc, which could not load the library and would fail to start with it.
    OtherLibc,
    /// For another processor, or 32-bit.
    Foreign,
}

/// Reads a file: from an offset into a buffer, returns how many bytes there were.
pub trait ReadAt {
    /// As pread(2), 0 also for an error.
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize;
}

/// Longest `#!` line looked at, as in Linux.
pub const SCRIPT_LINE: usize = 256;

const PT_INTERP: u32 = 3;
const MAX_HEADERS: u16 = 64;
const MAX_SECTIONS: u16 = 256;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) as u64 | (u32_at(bytes, at + 4) as u64) << 32
}

/// Looks at a file; `None` if it is no ELF file.
pub fn classify(file: &mut dyn ReadAt) -> Option<Program> {
    let mut head = [0u8; 64];
    if file.read_at(0, &mut head) < 20 || head[..4] != *b"\x7fELF" {
        return None;
    }
    const X86_64: u16 = 62;
    if head[4] != 2 || u16_at(&head, 18) != X86_64 {
        return Some(Program::Foreign);
    }
    let Some((offset, length)) = interpreter(file, &head) else { return Some(Program::Static) };
    let mut path = [0u8; 256];
    let length = file.read_at(offset, &mut path[..(length as usize).min(256)]);
    Some(if !path[..length].windows(15).any(|w| w == b"ld-linux-x86-64") {
        Program::OtherLibc
    } else if has_section(file, &head, b".go.buildinfo\0") {
        Program::ShimmedRaw
    } else {
        Program::Shimmed
    })
}

/// Where the name of the dynamic linker is in the file.
fn interpreter(file: &mut dyn ReadAt, head: &[u8; 64]) -> Option<(u64, u64)> {
    let (start, size, count) = (u64_at(head, 32), u16_at(head, 54) as u64, u16_at(head, 56).min(MAX_HEADERS));
    (0..count as u64).find_map(|i| {
        let mut header = [0u8; 56];
        let whole = file.read_at(start.wrapping_add(i * size), &mut header) == header.len();
        (whole && u32_at(&header, 0) == PT_INTERP).then(|| (u64_at(&header, 8), u64_at(&header, 32)))
    })
}

/// Has the file a section of that name (with its NUL)?
fn has_section(file: &mut dyn ReadAt, head: &[u8; 64], name: &[u8; 14]) -> bool {
    let (start, size) = (u64_at(head, 40), u16_at(head, 58) as u64);
    let (count, names) = (u16_at(head, 60).min(MAX_SECTIONS), u16_at(head, 62));
    let header = |i: u16, file: &mut dyn ReadAt| {
        let mut bytes = [0u8; 64];
        let whole = start != 0 && file.read_at(start.wrapping_add(i as u64 * size), &mut bytes) == bytes.len();
        whole.then_some(bytes)
    };
    let Some(strings) = header(names, file).map(|bytes| u64_at(&bytes, 24)) else { return false };
    (0..count).any(|i| {
        let mut found = [0u8; 14];
        header(i, file).is_some_and(|bytes| {
            file.read_at(strings.wrapping_add(u32_at(&bytes, 0) as u64), &mut found) == 14 && found == *name
        })
    })
}

/// The interpreter of a script whose file begins with `head`.
pub fn script_interpreter(head: &[u8]) -> Option<&[u8]> {
    let line = head.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | 0);
    let start = line.iter().position(|b| !blank(b))?;
    line[start..].split(blank).next()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    impl ReadAt for &[u8] {
        fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize {
            let from = self.get(offset as usize..).unwrap_or_default();
            let n = from.len().min(to.len());
            to[..n].copy_from_slice(&from[..n]);
            n
        }
    }

    #[test]
    fn this_test_is_dynamic_with_glibc() {
        let me = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(classify(&mut &me[..]), Some(Program::Shimmed));
        let mut other = me.clone();
        other[4] = 1;
        assert_eq!(classify(&mut &other[..]), Some(Program::Foreign));
        assert_eq!(classify(&mut &b"#!/bin/sh\n"[..]), None);
    }

    #[test]
    fn interpreters_of_scripts() {
        assert_eq!(script_interpreter(b"#!/bin/sh\nexit"), Some(&b"/bin/sh"[..]));
        assert_eq!(script_interpreter(b"#! \t/usr/bin/env python3 -x\n"), Some(&b"/usr/bin/env"[..]));
        assert_eq!(script_interpreter(b"#!\n"), None);
        assert_eq!(script_interpreter(b"echo"), None);
    }
}
