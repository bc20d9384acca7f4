//! flux-launch: runs commands in a session of virtual time.

mod cli;
mod look;
mod report;
mod run;
mod session;

use clap::Parser;
use std::process::ExitCode;

/// Exit status for bad usage, as `timeout(1)` and `env(1)` have it for errors of their own.
const USAGE: u8 = 125;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) if e.use_stderr() => {
            let text = e.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            report::say(&format!("{first}; see flux-launch --help"));
            return ExitCode::from(2);
        }
        Err(e) => {
            let _ = e.print();
            return ExitCode::SUCCESS;
        }
    };
    let output = match cli.output.as_ref().map(std::fs::File::create).transpose() {
        Ok(output) => output,
        Err(e) => {
            report::say(&format!("cannot write --output's file: {e}"));
            return ExitCode::from(USAGE);
        }
    };
    report::configure(output, cli.verbose);
    let commands = cli.commands();
    if commands.is_empty() {
        report::say("no command given; try: flux-launch -- sleep 12");
        return ExitCode::from(2);
    }
    let session = session::find_library(cli.libpath.as_deref())
        .and_then(|library| session::Session::new(library, cli.clock, cli.signal, cli.verbose));
    match session {
        Ok(session) => ExitCode::from(run::run(session, &commands)),
        Err(text) => {
            report::say(&text);
            ExitCode::from(USAGE)
        }
    }
}
