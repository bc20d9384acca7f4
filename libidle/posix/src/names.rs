//! Names in the environment of programs.

use std::ffi::CStr;
use std::fmt;

/// The name of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name(&'static CStr);

impl Name {
    /// As C has it.
    pub const fn c(self) -> &'static CStr {
        self.0
    }

    /// As text.
    pub const fn text(self) -> &'static str {
        match self.0.to_str() {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// The value that `entry` (`NAME=value`) gives it; `None` if that is another's.
    pub fn value_in(self, entry: &[u8]) -> Option<&[u8]> {
        entry.strip_prefix(self.0.to_bytes())?.strip_prefix(b"=")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Libraries that the dynamic linker loads first, ld.so(8).
pub const LD_PRELOAD: Name = Name(c"LD_PRELOAD");
/// Options of AddressSanitizer's runtime.
pub const ASAN_OPTIONS: Name = Name(c"ASAN_OPTIONS");

/// The variables by which a program image finds its session.
pub struct Names {
    /// Where the region is.
    pub session: Name,
    /// Path of the library, to be preloaded again after a program has cleared its environment.
    pub library: Name,
    /// The slot that the image takes over.
    pub slot: Name,
}

/// Those of libflux.so.
pub const FLUX: Names = Names {
    session: Name(c"FLUX_SESSION"),
    library: Name(c"FLUX_LIBRARY"),
    slot: Name(c"FLUX_SLOT"),
};
/// Before the number of a descriptor of the region that is inherited: so the session is named where
/// the launcher's own cannot be looked at any more.
pub const DESCRIPTORS: &str = "/proc/self/fd/";
/// What `LD_PRELOAD` was before the launcher took a library out of it for itself.
pub const FLUX_PRELOAD: Name = Name(c"FLUX_PRELOAD");
/// Tells the launcher's own child that it is the tracer.
pub const FLUX_TRACER: Name = Name(c"FLUX_TRACER");

/// In the environment of a program that a session's program has started outside the session: the
/// tracer, if it has to stay with it, leaves all that it does alone.
pub const FLUX_OUTSIDE: Name = Name(c"FLUX_OUTSIDE");

/// Those of libidle.so.
pub const LIBIDLE: Names = Names {
    session: Name(c"LIBIDLE_SESSION"),
    library: Name(c"LIBIDLE_LIBRARY"),
    slot: Name(c"LIBIDLE_SLOT"),
};
/// Path of the state file.
pub const LIBIDLE_STATEFILE: Name = Name(c"LIBIDLE_STATEFILE");
/// Whether a row is printed at each change: `1`, or the name of the file to print it to.
pub const LIBIDLE_VERBOSE: Name = Name(c"LIBIDLE_VERBOSE");
/// Whether children are tracked too: `0` says no.
pub const LIBIDLE_CHILDREN: Name = Name(c"LIBIDLE_CHILDREN");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_all_that_stands_before_the_sign() {
        assert_eq!(FLUX.slot.value_in(b"FLUX_SLOT=7"), Some(&b"7"[..]));
        assert_eq!(FLUX.slot.value_in(b"FLUX_SLOT="), Some(&b""[..]));
        assert_eq!(FLUX.slot.value_in(b"FLUX_SLOTS=7"), None);
        assert_eq!(FLUX.slot.value_in(b"FLUX_SLOT"), None);
        assert_eq!(FLUX.slot.text(), "FLUX_SLOT");
    }
}
