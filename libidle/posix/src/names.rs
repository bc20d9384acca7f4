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

/// Where the session's region is.
pub const FLUX_SESSION: Name = Name(c"FLUX_SESSION");
/// Path of libflux.so.
pub const FLUX_LIBRARY: Name = Name(c"FLUX_LIBRARY");
/// The slot that a new program image takes over.
pub const FLUX_SLOT: Name = Name(c"FLUX_SLOT");
/// Tells the launcher's own child that it is the tracer.
pub const FLUX_TRACER: Name = Name(c"FLUX_TRACER");

/// Descriptors of the region and of the state file.
pub const LIBIDLE_SESSION: Name = Name(c"LIBIDLE_SESSION");
/// Path of libidle.so.
pub const LIBIDLE_LIBRARY: Name = Name(c"LIBIDLE_LIBRARY");
/// As [`FLUX_SLOT`].
pub const LIBIDLE_SLOT: Name = Name(c"LIBIDLE_SLOT");
/// Path of the state file.
pub const LIBIDLE_STATEFILE: Name = Name(c"LIBIDLE_STATEFILE");
/// Says what happens.
pub const LIBIDLE_VERBOSE: Name = Name(c"LIBIDLE_VERBOSE");
/// Whether children belong to it.
pub const LIBIDLE_CHILDREN: Name = Name(c"LIBIDLE_CHILDREN");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_all_that_stands_before_the_sign() {
        assert_eq!(FLUX_SLOT.value_in(b"FLUX_SLOT=7"), Some(&b"7"[..]));
        assert_eq!(FLUX_SLOT.value_in(b"FLUX_SLOT="), Some(&b""[..]));
        assert_eq!(FLUX_SLOT.value_in(b"FLUX_SLOTS=7"), None);
        assert_eq!(FLUX_SLOT.value_in(b"FLUX_SLOT"), None);
        assert_eq!(FLUX_SLOT.text(), "FLUX_SLOT");
    }
}
