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
    if is_verbose(level) {
        say(&text());
    }
}

/// Is anything said at this level?
pub fn is_verbose(level: u8) -> bool {
    VERBOSE.get().is_some_and(|&v| v >= level)
}
