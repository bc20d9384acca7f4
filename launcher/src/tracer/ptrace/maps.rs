//! What a process has mapped into its memory: `/proc/PID/maps` and `auxv`. See proc(5).

/// Addresses `start..end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// First address.
    pub start: u64,
    /// The address after the last one.
    pub end: u64,
}

impl Range {
    /// Is the address in it?
    pub fn contains(self, at: u64) -> bool {
        self.start <= at && at < self.end
    }

    /// Does it hold all of `other`?
    pub fn holds(self, other: Range) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Is any address in both?
    pub fn meets(self, other: Range) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Mappings whose permissions have this letter, and their names; `None` if the process may not be
/// looked at.
pub fn mappings(pid: i32, permits: char) -> Option<Vec<(Range, String)>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let parse = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let range = Range { start: hex(start)?, end: hex(end)? };
        fields
            .next()?
            .contains(permits)
            .then(|| (range, fields.nth(3).unwrap_or_default().to_owned()))
    };
    Some(maps.lines().filter_map(parse).collect())
}

/// Where process `pid` has its vDSO.
pub fn vdso_of(pid: i32) -> Option<u64> {
    let auxv = std::fs::read(format!("/proc/{pid}/auxv")).ok()?;
    let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
    auxv.chunks_exact(16).find(|c| word(&c[..8]) == libc::AT_SYSINFO_EHDR).map(|c| word(&c[8..]))
}
