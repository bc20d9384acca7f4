//! flux-launch's own words: to standard error, or to --output's file. One line each, beginning with
//! the program's name.

use std::fs::File;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use once_cell::sync::OnceCell;

static OUTPUT: OnceCell<Mutex<File>> = OnceCell::new();
/// The file has refused a line.
static FULL: AtomicBool = AtomicBool::new(false);
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

/// Says something that the user has to know. If the file takes no more, it goes to standard error.
pub fn say(text: &str) {
    let line = line(text);
    if let Some(mut file) = OUTPUT.get().and_then(|f| f.lock().ok()) {
        let Err(e) = file.write_all(line.as_bytes()) else { return };
        if !FULL.swap(true, Relaxed) {
            let why =
                format!("cannot write to --output's file: {}; its lines come here", self::why(&e));
            drop(std::io::stderr().write_all(self::line(&why).as_bytes()));
        }
    }
    drop(std::io::stderr().write_all(line.as_bytes()));
}

/// The system's text for an error, without its number.
pub fn why(e: &std::io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// One line, whatever is in a file's name.
fn line(text: &str) -> String {
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    format!("flux-launch: {}\n", text.chars().map(shown).collect::<String>())
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
