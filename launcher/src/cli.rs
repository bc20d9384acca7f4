//! The command line.

use crate::dates::{self, When};
use clap::{Parser, ValueEnum};
use engine::region::named_holds::LONGEST;
use engine::region::tracer_word::Trace;
use nix::sys::signal::Signal;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// Exit status for words that make no sense.
pub const USAGE: u8 = 2;
/// Exit status when `--timeout` is over, as timeout(1) has it.
pub const TIMED_OUT: u8 = 124;
/// Exit status for other errors of flux-launch itself, as timeout(1) and env(1) have it.
pub const OWN_FAILURE: u8 = 125;
/// Exit status for a command that cannot be executed, as a shell has it.
pub const NOT_EXECUTABLE: u8 = 126;
/// Exit status for a command that is not there.
pub const NOT_FOUND: u8 = 127;

/// How virtual time relates to real time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Clock {
    /// Computing takes the time it takes, waiting takes none.
    Elapsed,
    /// Time moves by waiting alone: every run reads the same times.
    Frozen,
}

/// Which programs are traced (ptrace(2)) besides the preloaded library.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Tracing {
    /// Those that cannot load the library: statically linked, or with another libc.
    Auto,
    /// All, so that system calls in line and inside libc are virtual too.
    All,
    /// None: these run in real time.
    None,
}

impl Tracing {
    /// As the region has it.
    pub fn level(self) -> Trace {
        match self {
            Tracing::Auto => Trace::Auto,
            Tracing::All => Trace::All,
            Tracing::None => Trace::None,
        }
    }
}

/// Runs commands without waiting: all their processes share one virtual clock, and when every one
/// of them is blocked, the clock jumps to the next deadline.
///
/// A day of sleeps, polls, retries and time-outs takes milliseconds, in any language, and every
/// clock the programs can read agrees with it. The first word that is no option, or the first `--`,
/// begins the command; all that follows belongs to the command. The exit status is the command's
/// (128+n for a death by signal n).
///
/// With --many, each further `--` begins another command. They start one after the other in one
/// session, each when the one before has come to rest; the exit status is the largest of theirs.
#[derive(Parser, Debug)]
#[command(
    name = "flux-launch",
    version,
    override_usage = "flux-launch [OPTIONS] -- COMMAND [ARG]...\n       \
                      flux-launch [OPTIONS] --many -- COMMAND [ARG]... [-- COMMAND [ARG]...]...\n       \
                      flux-launch --wait-idle FILE [--after SERIAL] [--timeout SECONDS]"
)]
pub struct Cli {
    /// Folder that holds libflux.so, if it is not beside flux-launch
    #[arg(long, value_name = "DIR")]
    pub libpath: Option<PathBuf>,

    /// Signal that ends waits which nothing else can end (semtimedop)
    #[arg(long, value_name = "SIGNAL", default_value = "SIGURG", value_parser = signal)]
    pub signal: i32,

    /// Say more: a summary at the end; twice: every process; on standard error, or in --output's
    /// file
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// File that takes flux-launch's own messages instead of standard error
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// How the clock moves [default: elapsed]
    #[arg(long, value_enum)]
    pub clock: Option<Clock>,

    /// With --clock=frozen: how long after its deadline a wait ends, in virtual nanoseconds; 0:
    /// exactly at it
    #[arg(long, value_name = "NS", default_value = "1000", value_parser = slack)]
    pub slack: u32,

    /// The time of day at which the session starts: 2031-02-28, '2031-02-28 23:59:50' (local time),
    /// 2031-02-28T23:59:50Z, @1930000000 (seconds since 1970), +3d or -1y (from now)
    #[arg(long, value_name = "DATE", value_parser = dates::start, allow_hyphen_values = true)]
    pub start: Option<When>,

    /// When the session ends, whatever runs then: after so much virtual time (90s, 2h, 3d), or at a
    /// date as --start has it. Sends SIGTERM, two seconds later SIGKILL; the status is 124
    #[arg(long, value_name = "DATE|DURATION", value_parser = dates::until)]
    pub until: Option<When>,

    /// The session's name, by which commands can join it (--join)
    #[arg(long, value_name = "NAME", value_parser = session_name)]
    pub name: Option<String>,

    /// Run the command in the session of that name, which this user has started: its clock is that
    /// of the session, input and output are those of this command
    #[arg(long, value_name = "NAME", value_parser = session_name,
          conflicts_with_all = ["name", "hold", "real", "clock", "start", "until", "statefile",
                                "many", "separator"])]
    pub join: Option<String>,

    /// Inside a session: time does not jump while the command runs, because what it waits for is
    /// outside (docker exec, kubectl, a browser). -v lists the name at the end
    #[arg(long, value_name = "NAME", value_parser = hold_name, conflicts_with_all = ["many", "separator"])]
    pub hold: Option<String>,

    /// Inside a session: the command runs outside it, in real time, and time does not jump
    /// meanwhile
    #[arg(long, conflicts_with_all = ["many", "separator"])]
    pub real: bool,

    /// Which programs are traced, because they cannot load the library
    #[arg(long, value_enum, default_value = "auto")]
    pub trace: Tracing,

    /// Lock this file (flock(2)) while the session is busy, and count in it how often it went busy;
    /// --wait-idle waits for it
    #[arg(long, value_name = "FILE")]
    pub statefile: Option<PathBuf>,

    /// Run nothing, but wait until the program that has this state file (LIBIDLE_STATEFILE) is
    /// idle, and print the number in it, which counts the times the program went busy
    #[arg(long, value_name = "FILE", conflicts_with_all = ["libpath", "signal", "clock", "slack", "start", "until", "hold", "real", "name", "join", "statefile", "words"])]
    pub wait_idle: Option<PathBuf>,

    /// With --wait-idle: wait until that number is greater than this one
    #[arg(long, value_name = "SERIAL", requires = "wait_idle", conflicts_with = "words")]
    pub after: Option<u64>,

    /// With --wait-idle: end with status 124 when it takes longer; 0: only look
    #[arg(long, value_name = "SECONDS", requires = "wait_idle", conflicts_with = "words", value_parser = seconds)]
    pub timeout: Option<Duration>,

    /// Several commands, which `--` separates: flux-launch --many -- SERVER -- CLIENT
    #[arg(long, conflicts_with = "wait_idle")]
    pub many: bool,

    /// The word that separates several commands, if not `--`; no need to say --many then
    #[arg(long, value_name = "WORD", conflicts_with = "wait_idle", allow_hyphen_values = true)]
    pub separator: Option<OsString>,

    /// The command, or the commands with what separates them
    #[arg(trailing_var_arg = true, value_name = "COMMAND", hide = true)]
    pub words: Vec<OsString>,
}

impl Cli {
    /// The command: all words. With `--many` or `--separator`, the words between separators, where
    /// no word at all is no command.
    pub fn commands(&self) -> Vec<Vec<OsString>> {
        let separator = match &self.separator {
            Some(word) => Some(word.as_os_str()),
            None => self.many.then_some(OsStr::new("--")),
        };
        let commands = self.words.split(|word| separator == Some(word));
        commands.filter(|words| !words.is_empty()).map(<[_]>::to_vec).collect()
    }
}

/// What is wrong with the command line, in one line.
pub fn explain(error: &clap::Error) -> String {
    let text = error.to_string();
    let first: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let first = first.join(" ");
    let first = first.trim_start_matches("error: ");
    format!("{first}; see flux-launch --help")
}

/// Seconds with or without a fraction; more than a clock can count is the most it can.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if number >= 0.0 => {
            Ok(Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX))
        }
        _ => Err("seconds are a number like 5 or 0.25".to_string()),
    }
}

/// A name for a session, which a file gets too.
fn session_name(text: &str) -> Result<String, String> {
    let ends = text.ends_with(".lock") || text.starts_with('.');
    hold_name(text).ok().filter(|_| !ends).ok_or_else(|| {
        format!(
            "a name has 1 to {LONGEST} bytes, no slash and no control character, no dot at its \
                 beginning and no .lock at its end"
        )
    })
}

/// A name for a hold.
fn hold_name(text: &str) -> Result<String, String> {
    let name = engine::region::named_holds::name_of(text.as_bytes());
    name.map(|_| text.to_owned()).ok_or_else(|| {
        format!("a name has 1 to {LONGEST} bytes, no slash and no control character")
    })
}

/// Nanoseconds, up to a second: a wait that ends much later is not what anybody asked for.
fn slack(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(ns @ 0..=1_000_000_000) => Ok(ns),
        _ => Err("a slack is a number of nanoseconds from 0 to 1000000000".to_string()),
    }
}

/// A signal by name (with or without `SIG`), number, or `RTMIN+n`.
fn signal(text: &str) -> Result<i32, String> {
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = if let Ok(n) = name.parse::<i32>() {
        Some(n)
    } else if name == "RTMIN" {
        Some(libc::SIGRTMIN())
    } else if let Some(n) = name.strip_prefix("RTMIN+") {
        n.parse::<i32>().ok().map(|n| libc::SIGRTMIN() + n)
    } else {
        format!("SIG{name}").parse::<Signal>().ok().map(|s| s as i32)
    };
    match number {
        Some(n) if n == libc::SIGKILL || n == libc::SIGSTOP => {
            Err("this signal cannot be caught".to_string())
        }
        Some(n) if (1..=libc::SIGRTMAX()).contains(&n) => Ok(n),
        _ => Err("no such signal; `kill -l` lists them".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(words: &[&str]) -> Vec<Vec<OsString>> {
        Cli::parse_from([&["flux-launch"], words].concat()).commands()
    }

    #[test]
    fn one_command_in_which_nothing_is_interpreted() {
        for line in [&["-v", "--"][..], &["--clock", "frozen"], &["--signal=USR1", "-vv", "--"]] {
            for command in [
                &["a"][..],
                &["a", "-v", "--help", "--clock=frozen"],
                &["a", "--", "b", "--", "--"],
                &["a", "--many", "--separator", "b"],
                &["", "", "--"],
            ] {
                assert_eq!(commands(&[line, command].concat()), [command], "{line:?}");
            }
        }
        // Only after two dashes a command's name begins with one.
        assert_eq!(commands(&["--", "-v", "--", "x"]), [["-v", "--", "x"]]);
        assert_eq!(commands(&["--", "--", "x"]), [["--", "x"]]);
        assert!(Cli::try_parse_from(["flux-launch", "--no-such", "a"]).is_err());
    }

    #[test]
    fn many_commands() {
        let split = [vec!["a", "-x"], vec!["b"], vec!["c"]];
        assert_eq!(commands(&["--many", "--", "a", "-x", "--", "b", "--", "--", "c"]), split);
        assert_eq!(commands(&["--many", "a", "-x", "--", "b", "--", "c", "--"]), split);
        for option in [&["--separator", "--and"][..], &["--many", "--separator=--and"]] {
            let words = ["--", "--and", "a", "--", "--and", "b", "--many"];
            assert_eq!(
                commands(&[option, &words].concat()),
                [vec!["a", "--"], vec!["b", "--many"]]
            );
        }
        assert_eq!(commands(&["--separator=", "a", "", "b"]), [["a"], ["b"]]);
    }

    #[test]
    fn seconds_with_fractions() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("1e99"), Ok(Duration::MAX));
        for text in ["", "-1", "nan", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn signals_by_name_and_number() {
        assert_eq!(signal("USR1"), Ok(libc::SIGUSR1));
        assert_eq!(signal("sigusr1"), Ok(libc::SIGUSR1));
        assert_eq!(signal("12"), Ok(12));
        assert_eq!(signal("RTMIN+3"), Ok(libc::SIGRTMIN() + 3));
        assert!(signal("NOSUCH").is_err());
        assert!(signal("KILL").is_err());
    }
}
