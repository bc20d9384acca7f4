//! Which kind of program does a file hold? Can the preloaded library speak for it?

/// What a program needs to join the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// Dynamically linked with glibc: the program loads the library.
    Shimmed,
    /// The same, but its runtime makes system calls of its own as a rule: Go with cgo.
    ShimmedRaw,
    /// The same as [`Program::Shimmed`], with AddressSanitizer's runtime as a library. That runtime
    /// must be the first library loaded unless an option allows otherwise
    /// ([`crate::programs::preload::Order`]).
    ShimmedAsan,
    /// Statically linked: nobody loads the library. (A dynamic linker that is run by its own name
    /// counts here too.)
    Static,
    /// Dynamically linked with another libc, which cannot load the library and would fail to start
    /// with it.
    OtherLibc,
    /// For another processor, or 32-bit.
    Foreign,
}

impl Program {
    /// The program cannot load the library, but the tracer can trace it.
    pub fn cannot_load(self) -> bool {
        matches!(self, Program::Static | Program::OtherLibc)
    }
}

/// Reads a file, from an offset into a buffer.
pub trait ReadAt {
    /// As pread(2), and 0 for an error.
    fn read_at(&mut self, offset: u64, to: &mut [u8]) -> usize;
}

/// Longest `#!` line looked at, as in Linux.
pub const SCRIPT_LINE: usize = 256;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
/// Entries of the dynamic section that are looked at; libraries come first.
const MAX_DYNAMIC: usize = 64;
const MAX_HEADERS: u16 = 64;
/// Bytes of section names that are looked at.
const MAX_NAMES: u64 = 16 << 10;
/// The kernel follows so many scripts whose interpreter is a script.
const MAX_SCRIPTS: u32 = 5;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) as u64 | (u32_at(bytes, at + 4) as u64) << 32
}

/// The kind of program in a file; `None` if it is no ELF file.
pub fn classify(file: &mut dyn ReadAt) -> Option<Program> {
    let mut head = [0u8; 64];
    if file.read_at(0, &mut head) < 20 || head[..4] != *b"\x7fELF" {
        return None;
    }
    const X86_64: u16 = 62;
    if head[4] != 2 || u16_at(&head, 18) != X86_64 {
        return Some(Program::Foreign);
    }
    let Some((offset, length, _)) = segment(file, &head, |kind, _, _| kind == PT_INTERP) else {
        return Some(Program::Static);
    };
    let mut path = [0u8; 256];
    let length = file.read_at(offset, &mut path[..(length as usize).min(256)]);
    Some(if !path[..length].windows(15).any(|w| w == b"ld-linux-x86-64") {
        Program::OtherLibc
    } else if has_section(file, &head, b".go.buildinfo\0") {
        Program::ShimmedRaw
    } else if needs(file, &head, crate::programs::preload::is_asan) {
        Program::ShimmedAsan
    } else {
        Program::Shimmed
    })
}

/// Does the program in this ELF file have Go's runtime?
pub fn is_go(file: &mut dyn ReadAt) -> bool {
    let mut head = [0u8; 64];
    file.read_at(0, &mut head) == head.len() && has_section(file, &head, b".go.buildinfo\0")
}

/// Offset, length and address of the first segment with the wanted kind, address and length.
fn segment(
    file: &mut dyn ReadAt,
    head: &[u8; 64],
    wanted: impl Fn(u32, u64, u64) -> bool,
) -> Option<(u64, u64, u64)> {
    let (start, size, count) =
        (u64_at(head, 32), u16_at(head, 54) as u64, u16_at(head, 56).min(MAX_HEADERS));
    (0..count as u64).find_map(|i| {
        let mut header = [0u8; 56];
        let whole = file.read_at(start.wrapping_add(i * size), &mut header) == header.len();
        let (offset, address, length) =
            (u64_at(&header, 8), u64_at(&header, 16), u64_at(&header, 32));
        (whole && wanted(u32_at(&header, 0), address, length)).then_some((offset, length, address))
    })
}

/// Does the file need a library of such a name?
fn needs(file: &mut dyn ReadAt, head: &[u8; 64], called: fn(&[u8]) -> bool) -> bool {
    let Some((offset, length, _)) = segment(file, head, |kind, _, _| kind == PT_DYNAMIC) else {
        return false;
    };
    let mut entries = [0u8; 16 * MAX_DYNAMIC];
    let length = entries.len().min(length as usize);
    let length = file.read_at(offset, &mut entries[..length]);
    let (pairs, _) = entries[..length].as_chunks::<16>();
    let values = |tag: u64| {
        pairs
            .iter()
            .filter(move |pair| u64_at(&pair[..], 0) == tag)
            .map(|pair| u64_at(&pair[..], 8))
    };
    let Some(strings) = values(DT_STRTAB).next() else { return false };
    let holds =
        |kind, address: u64, length: u64| kind == PT_LOAD && strings.wrapping_sub(address) < length;
    let Some((offset, _, address)) = segment(file, head, holds) else { return false };
    let strings = offset.wrapping_add(strings - address);
    values(DT_NEEDED).any(|name| {
        let mut text = [0u8; 32];
        let length = file.read_at(strings.wrapping_add(name), &mut text);
        called(text[..length].split(|&byte| byte == 0).next().unwrap_or_default())
    })
}

/// Does the file have a section of that name (with its NUL)? The table of section names tells,
/// which holds nothing else.
fn has_section(file: &mut dyn ReadAt, head: &[u8; 64], name: &[u8; 14]) -> bool {
    let (start, size, names) = (u64_at(head, 40), u16_at(head, 58) as u64, u16_at(head, 62) as u64);
    let mut header = [0u8; 64];
    if start == 0 || file.read_at(start.wrapping_add(names * size), &mut header) != header.len() {
        return false;
    }
    let (table, length) = (u64_at(&header, 24), u64_at(&header, 32).min(MAX_NAMES));
    let (mut chunk, mut from) = ([0u8; 512], 0);
    // Chunks overlap by the name's length less one byte.
    while from < length {
        let n = file.read_at(table.wrapping_add(from), &mut chunk);
        if chunk[..n].windows(name.len()).any(|found| found == name) {
            return true;
        }
        from += (chunk.len() - name.len() + 1) as u64;
    }
    false
}

/// The program that the kernel would run for `file`; the interpreter of a script is `open`ed in its
/// place. `None` if the file is neither a program nor a script.
pub fn follow<F: ReadAt>(mut file: F, mut open: impl FnMut(&[u8]) -> Option<F>) -> Option<Program> {
    for _ in 0..=MAX_SCRIPTS {
        if let Some(program) = classify(&mut file) {
            return Some(program);
        }
        let mut head = [0u8; SCRIPT_LINE];
        let length = file.read_at(0, &mut head);
        file = open(script_interpreter(&head[..length])?)?;
    }
    None
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
        let mut head = [0u8; 64];
        head.copy_from_slice(&me[..64]);
        assert!(has_section(&mut &me[..], &head, b".eh_frame_hdr\0"));
        assert!(!has_section(&mut &me[..], &head, b".go.buildinfo\0"));
        assert!(needs(&mut &me[..], &head, |name| name == b"libc.so.6"));
        assert!(!needs(&mut &me[..], &head, crate::programs::preload::is_asan));
    }

    #[test]
    fn scripts_lead_to_their_interpreters() {
        let me = std::fs::read("/proc/self/exe").unwrap();
        let (script, endless) = (&b"#!/me -x\n"[..], &b"#!/endless\n"[..]);
        let open = |path: &[u8]| match path {
            b"/me" => Some(&me[..]),
            b"/script" => Some(script),
            b"/endless" => Some(endless),
            _ => None,
        };
        assert_eq!(follow(&b"#! /script\n"[..], open), Some(Program::Shimmed));
        assert_eq!(follow(endless, open), None);
        assert_eq!(follow(&b"#!/nowhere\n"[..], open), None);
        assert_eq!(follow(&b"echo\n"[..], open), None);
    }

    #[test]
    fn interpreters_of_scripts() {
        assert_eq!(script_interpreter(b"#!/bin/sh\nexit"), Some(&b"/bin/sh"[..]));
        assert_eq!(
            script_interpreter(b"#! \t/usr/bin/env python3 -x\n"),
            Some(&b"/usr/bin/env"[..])
        );
        assert_eq!(script_interpreter(b"#!\n"), None);
        assert_eq!(script_interpreter(b"echo"), None);
    }
}
