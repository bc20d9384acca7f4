//! `LD_PRELOAD`: what each kind of program must find there.

use crate::programs::elf::Program;

/// Before an absolute path this leads up from the program's own folder to the root, for glibc's
/// dynamic linker alone. Other linkers take the text as it stands, find no such file, and go on
/// without a message.
const ONLY_GLIBC: &[u8] = b"$ORIGIN/../../../../../../../../../../../../../../../../../../../..";

/// How this library appears in a program's `LD_PRELOAD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Its path.
    Path,
    /// `ONLY_GLIBC` and its path: the program's dynamic linker would fail on the plain path, and
    /// that of its children may not.
    OnlyGlibc,
    /// Nothing: the dynamic linker would complain about it.
    Out,
}

impl Form {
    /// How the library appears for `program`.
    pub fn of(program: Option<Program>) -> Form {
        match program {
            Some(Program::OtherLibc) => Form::OnlyGlibc,
            Some(Program::Foreign) => Form::Out,
            // A static program ignores it, and its dynamic children inherit it.
            Some(
                Program::Shimmed | Program::ShimmedRaw | Program::ShimmedAsan | Program::Static,
            )
            | None => Form::Path,
        }
    }

    /// Hands the new value to `put`, piece by piece. `theirs` is the old one.
    pub fn value(self, library: &[u8], theirs: &[u8], put: &mut impl FnMut(&[u8])) {
        // ld.so separates by colons and by spaces.
        let items = || theirs.split(|&b| b == b':' || b == b' ').filter(|item| !item.is_empty());
        let ours = |item: &[u8]| item.strip_prefix(ONLY_GLIBC).unwrap_or(item) == library;
        // A library that shifts the clocks it asks for comes before this one, which it asks then.
        let last = items().enumerate().filter(|&(_, item)| shifts_clocks(item)).last();
        if let (Form::Path, Some((last, _))) = (self, last) {
            let mut first = true;
            for (at, item) in items().enumerate().filter(|&(_, item)| !ours(item)) {
                let ends: [&[u8]; 2] = [item, library];
                for item in &ends[..if at == last { 2 } else { 1 }] {
                    [if first { &b""[..] } else { b":" }, item].into_iter().for_each(&mut *put);
                    first = false;
                }
            }
            return;
        }
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

/// An option in `ASAN_OPTIONS` that lets AddressSanitizer's runtime accept another library before
/// it. Without the option the runtime ends the program. (With it the runtime finds the calls that
/// it intercepts behind the library's, as ThreadSanitizer's does anyhow.)
pub struct Order;

impl Order {
    const OPTION: &[u8] = b"verify_asan_link_order=0";

    /// Does `program`, started with this `LD_PRELOAD`, need the option?
    pub fn matters(program: Option<Program>, preload: &[u8]) -> bool {
        let name = |item: &[u8]| is_asan(item.rsplit(|&b| b == b'/').next().unwrap_or_default());
        program == Some(Program::ShimmedAsan)
            || preload.split(|&b| b == b':' || b == b' ').any(name)
    }

    /// Hands the variable's new value to `put`, piece by piece; `theirs` is the old one.
    pub fn value(theirs: &[u8], put: &mut impl FnMut(&[u8])) {
        if theirs.windows(Order::OPTION.len()).any(|part| part == Order::OPTION) {
            return put(theirs);
        }
        put(theirs);
        put(if theirs.is_empty() { b"" } else { b":" });
        put(Order::OPTION);
    }
}

/// Is this item of `LD_PRELOAD` libfaketime?
pub fn shifts_clocks(item: &[u8]) -> bool {
    item.rsplit(|&b| b == b'/').next().is_some_and(|name| name.starts_with(b"libfaketime"))
}

/// Does this name belong to AddressSanitizer's runtime, of GCC or of clang?
pub fn is_asan(name: &[u8]) -> bool {
    name.starts_with(b"libasan.so") || name.starts_with(b"libclang_rt.asan")
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn preload(form: Form, theirs: &str) -> String {
        let mut value = Vec::new();
        form.value(b"/x/libflux.so", theirs.as_bytes(), &mut |piece| {
            value.extend_from_slice(piece)
        });
        String::from_utf8(value).expect("of strings")
    }

    #[test]
    fn preloads() {
        let up = std::str::from_utf8(ONLY_GLIBC).expect("a string");
        assert_eq!(preload(Form::Path, ""), "/x/libflux.so");
        assert_eq!(preload(Form::Path, "a.so b.so"), "/x/libflux.so:a.so:b.so");
        assert_eq!(preload(Form::Path, "a.so:/x/libflux.so"), "a.so:/x/libflux.so");
        assert_eq!(preload(Form::Path, &format!("{up}/x/libflux.so:a.so")), "/x/libflux.so:a.so");
        assert_eq!(
            preload(Form::Path, "/x/libflux.so:a.so:/$LIB/libfaketime.so.1 b.so"),
            "a.so:/$LIB/libfaketime.so.1:/x/libflux.so:b.so"
        );
        assert_eq!(
            preload(Form::Path, "libfaketimeMT.so.1:/x/libflux.so"),
            "libfaketimeMT.so.1:/x/libflux.so"
        );
        assert_eq!(
            preload(Form::OnlyGlibc, "a.so:/x/libflux.so"),
            format!("{up}/x/libflux.so:a.so")
        );
        assert_eq!(
            preload(Form::OnlyGlibc, &format!("{up}/x/libflux.so")),
            format!("{up}/x/libflux.so")
        );
        assert_eq!(preload(Form::Out, &format!("{up}/x/libflux.so:/x/libflux.so")), "");
        assert_eq!(preload(Form::Out, "/x/libflux.so:a.so"), "a.so");
    }

    #[test]
    fn orders() {
        let options = |theirs: &str| {
            let mut value = Vec::new();
            Order::value(theirs.as_bytes(), &mut |piece| value.extend_from_slice(piece));
            String::from_utf8(value).expect("of strings")
        };
        assert_eq!(options(""), "verify_asan_link_order=0");
        assert_eq!(options("a=1"), "a=1:verify_asan_link_order=0");
        assert_eq!(options(&options("a=1")), options("a=1"));
        assert!(Order::matters(Some(Program::ShimmedAsan), b""));
        assert!(Order::matters(Some(Program::Shimmed), b"/x/libflux.so:/usr/lib/libasan.so.8"));
        assert!(!Order::matters(Some(Program::Shimmed), b"/x/libflux.so:/libasan.so/y.so"));
    }
}
