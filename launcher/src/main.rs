//! flux-launch: runs commands in a session of virtual time.

mod budget;
mod cli;
mod dates;
mod events;
mod holder;
mod inherited;
mod join;
mod keeper_thread;
mod launcher_liveness;
mod library;
mod nested;
mod orphan_timerfds;
mod outside;
mod panics;
mod patience;
mod proc;
mod program_kind;
mod reach;
mod reap;
mod refusal;
mod region;
mod report;
mod session;
mod tracer;
mod virtual_clock;
mod wait_idle;

use clap::Parser;
use cli::{OWN_FAILURE, TIMED_OUT, USAGE};
use posix::names::FLUX_TRACER;
use report::messages;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    inherited::change();
    panics::end_all();
    if let Some(region) = std::env::var_os(FLUX_TRACER.text()) {
        // Returns only if it cannot begin.
        tracer::run(region);
        return ExitCode::from(OWN_FAILURE);
    }
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) if e.use_stderr() => {
            messages::say(&cli::explain(&e));
            return ExitCode::from(USAGE);
        }
        Err(e) => {
            // The help, or the version.
            return match e.print() {
                Ok(()) => ExitCode::SUCCESS,
                Err(e) => {
                    messages::say(&format!(
                        "cannot write to standard output: {}",
                        messages::why(&e)
                    ));
                    ExitCode::from(OWN_FAILURE)
                }
            };
        }
    };
    let output = match cli.output.as_ref().map(std::fs::File::create).transpose() {
        Ok(output) => output,
        Err(e) => {
            let file = cli.output.as_deref().unwrap_or(Path::new(""));
            messages::say(&format!(
                "cannot write --output's file {}: {}",
                file.display(),
                messages::why(&e)
            ));
            return ExitCode::from(OWN_FAILURE);
        }
    };
    messages::configure(output, cli.verbose);
    if let Some(file) = &cli.wait_idle {
        return wait_idle(file, &cli);
    }
    let commands = cli.commands();
    if commands.is_empty() {
        messages::say("no command given; try: flux-launch -- sleep 12");
        return ExitCode::from(USAGE);
    }
    if let Some(name) = &cli.join {
        return ExitCode::from(join::guest::run(name, &commands[0]));
    }
    if nested::inside() {
        return ExitCode::from(nested::run(&cli, &commands));
    }
    if cli.hold.is_some() || cli.real {
        return ExitCode::from(outside::run(&commands[0]));
    }
    let session = library::find(cli.libpath.as_deref())
        .and_then(|library| session::Session::new(library, &cli));
    let session = session.and_then(|mut session| {
        if let Some(file) = &cli.statefile {
            session.track(file)?;
        }
        Ok(session)
    });
    match session {
        Ok(session) => match session.calendar(&cli) {
            Ok(ends) => ExitCode::from(reap::run(session, ends, cli.name.as_deref(), &commands)),
            Err(text) => {
                messages::say(&text);
                ExitCode::from(USAGE)
            }
        },
        Err(text) => {
            messages::say(&text);
            ExitCode::from(OWN_FAILURE)
        }
    }
}

fn wait_idle(file: &Path, cli: &cli::Cli) -> ExitCode {
    let said = wait_idle::wait(file, cli.after, cli.timeout).and_then(|number| match number {
        None => Ok(TIMED_OUT),
        Some(number) => match writeln!(std::io::stdout(), "{number}") {
            Ok(()) => Ok(0),
            Err(e) => Err(format!("cannot write to standard output: {e}")),
        },
    });
    match said {
        Ok(status) => ExitCode::from(status),
        Err(text) => {
            messages::say(&text);
            ExitCode::from(OWN_FAILURE)
        }
    }
}
