//! `LD_PRELOAD`: what each kind of program is to find there.

use crate::elf::Program;

/// Before an absolute path it leads up from the program's own folder to the root, for glibc's dynamic linker alone.
/// Others take it as it stands, find no such file, and go on without a word.
const ONLY_GLIBC: &[u8] = b"$ORIGIN/../../../../../../../../../../../../../../../../../../../..";

/// What becomes of this library in a program's `LD_PRELOAD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Its path.
    Path,
    /// [`ONLY_GLIBC`] and its path: the program's dynamic linker would fail on it, that of its children may not.
    OnlyGlibc,
    /// Nothing: the dynamic linker would complain about it.
    Out,
}

impl Form {
    /// What `program` starts with.
    pub fn of(program: Option<Program>) -> Form {
        match program {
            Some(Program::OtherLibc) => Form::OnlyGlibc,
            Some(Program::Foreign) => Form::Out,
            // A static program does not care, and its dynamic children inherit it.
            Some(Program::Shimmed | Program::ShimmedRaw | Program::Static) | None => Form::Path,
        }
    }

    /// Hands the new value to `put`, piece by piece, beginning with what it is given; `theirs` is the old one.
    pub fn value(self, library: &[u8], theirs: &[u8], put: &mut impl FnMut(&[u8])) {
        // ld.so separates by colons and by spaces.
        let items = || theirs.split(|&b| b == b':' || b == b' ').filter(|item| !item.is_empty());
        let ours = |item: &[u8]| item.strip_prefix(ONLY_GLIBC).unwrap_or(item) == library;
        let listed = self == Form::Path && items().any(|item| item == library);
        let mut first = true;
        let mut item = |start: &[u8], end: &[u8]| {
            [if first { &b""[..] } else { b":" }, start, end].into_iter().for_each(&mut *put);
            first = false;
        };
        match self {
            Form::Path if !listed && !library.is_empty() => item(b"", library),
            Form::OnlyGlibc if !library.is_empty() => item(ONLY_GLIBC, library),
            _ => {}
        }
        items().filter(|their| listed || !ours(their)).for_each(|their| item(b"", their));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn preload(form: Form, theirs: &str) -> String {
        let mut value = Vec::new();
        form.value(b"/x/libflux.so", theirs.as_bytes(), &mut |piece| value.extend_from_slice(piece));
        String::from_utf8(value).expect("of strings")
    }

    #[test]
    fn preloads() {
        let up = std::str::from_utf8(ONLY_GLIBC).expect("a string");
        assert_eq!(preload(Form::Path, ""), "/x/libflux.so");
        assert_eq!(preload(Form::Path, "a.so b.so"), "/x/libflux.so:a.so:b.so");
        assert_eq!(preload(Form::Path, "a.so:/x/libflux.so"), "a.so:/x/libflux.so");
        assert_eq!(preload(Form::Path, &format!("{up}/x/libflux.so:a.so")), "/x/libflux.so:a.so");
        assert_eq!(preload(Form::OnlyGlibc, "a.so:/x/libflux.so"), format!("{up}/x/libflux.so:a.so"));
        assert_eq!(preload(Form::OnlyGlibc, &format!("{up}/x/libflux.so")), format!("{up}/x/libflux.so"));
        assert_eq!(preload(Form::Out, &format!("{up}/x/libflux.so:/x/libflux.so")), "");
        assert_eq!(preload(Form::Out, "/x/libflux.so:a.so"), "a.so");
    }
}
