//! flux-launch's own words: to standard error, or to --output's file. One line each, beginning with
//! the program's name.

use std::fs::File;
use std::io::Write;
use std::sync::Mutex;

use once_cell::sync::OnceCell;

static OUTPUT: OnceCell<Mutex<File>> = OnceCell::new();
static VERBOSE: OnceCell<u8> = OnceCell::new();

/// Where messages go from now on, and how many.
pub fn configure(output: Option<File>, verbose: u8) {
    let _ = VERBOSE.set(verbose);
    if let Some(file) = output {
        let _ = OUTPUT.set(Mutex::new(file));
    }
}

/// The file that takes the messages, for a process of ours; `None` for standard error.
pub fn output() -> Option<File> {
    OUTPUT.get()?.lock().ok()?.try_clone().ok()
}

/// Says something that the user has to know.
pub fn say(text: &str) {
    let line = format!("flux-launch: {text}\n");
    match OUTPUT.get().and_then(|f| f.lock().ok()) {
        Some(mut file) => drop(file.write_all(line.as_bytes())),
        None => drop(std::io::stderr().write_all(line.as_bytes())),
    }
}

/// Says something at verbosity `level` and above.
pub fn verbose(level: u8, text: impl FnOnce() -> String) {
    if VERBOSE.get().is_some_and(|&v| v >= level) {
        say(&text());
    }
}

/// A duration for people: the two largest units that matter.
pub fn duration(ns: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = ns / 1_000_000_000;
    if seconds < 60 {
        return format!("{:.3} s", ns as f64 / 1e9);
    }
    let at = UNITS.iter().position(|&(unit, _)| seconds >= unit).unwrap_or(3);
    let (unit, name) = UNITS[at];
    let rest = UNITS
        .get(at + 1)
        .map_or(String::new(), |&(small, n)| format!(" {} {n}", seconds % unit / small));
    format!("{} {name}{rest}", seconds / unit)
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_well() {
        assert_eq!(super::duration(12_000_340_000), "12.000 s");
        assert_eq!(super::duration(3_600_000_000_000), "1 h 0 min");
        assert_eq!(super::duration(90_061_000_000_000), "1 d 1 h");
        assert_eq!(super::duration(61_000_000_000), "1 min 1 s");
    }
}
