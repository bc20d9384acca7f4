//! Every command in the README files works as it stands there.
//!
//! A command is a line that starts with `$ ` in a fenced block marked `sh`; a line that ends in a
//! backslash goes on in the next. Lines without the mark are what the reader would see, which
//! differs from run to run.

use flux_tests::{Run, artifacts, target_dir, workspace_root};
use std::fs;
use std::time::Duration;

const FILES: &[&str] = &["README.md", "libflux/README.md"];

/// Commands that are not run here, by what they begin with, each with its reason.
const SKIPPED: &[(&str, &str)] = &[
    ("cargo test", "this is one of the tests it runs"),
    (".ci/run", "it runs this test"),
    ("cargo bench", "it measures for minutes"),
    ("tests/bench/", "it measures for minutes"),
    ("git clone", "it needs a network"),
    ("apt-get", "it changes the machine"),
    ("sudo", "it changes the machine"),
];

/// The commands of one file, each with the number of its line.
fn commands(file: &str) -> Vec<(usize, String)> {
    let path = workspace_root().join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut block = None;
    let mut goes_on = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_none() { Some(language.trim().to_owned()) } else { None };
            goes_on = false;
        } else if block.as_deref() == Some("sh") {
            if goes_on {
                let (_, command) = commands.last_mut().expect("something goes on");
                command.push('\n');
                command.push_str(line);
            } else if let Some(command) = line.strip_prefix("$ ") {
                commands.push((number + 1, command.to_owned()));
            }
            goes_on = (goes_on || line.starts_with("$ ")) && line.ends_with('\\');
        }
    }
    assert!(block.is_none(), "{file}: a block is not closed");
    commands
}

/// The build command builds into the default folder; this run of the tests may use another.
fn run(file: &str, line: usize, command: &str) {
    let command = &command.replace("target/release", &artifacts().dir.to_string_lossy());
    let path = std::env::var("PATH").unwrap_or_default();
    let outcome = Run::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .cwd(workspace_root())
        .env("CARGO_TARGET_DIR", target_dir())
        .env("PATH", format!("{}:{path}", artifacts().dir.display()))
        .within(Duration::from_secs(300))
        .run();
    assert!(outcome.status.success(), "{file}:{line}: $ {command}\n{outcome}");
}

#[test]
fn every_command_works() {
    let mut ran = 0;
    for file in FILES {
        for (line, command) in commands(file) {
            if !SKIPPED.iter().any(|(start, _)| command.starts_with(start)) {
                run(file, line, &command);
                ran += 1;
            }
        }
    }
    assert!(ran > 0, "the README files show no command");
}

#[test]
fn what_is_skipped_is_there() {
    // The test command is the one promise that cannot be kept from in here, so at least it must be
    // made.
    let commands = commands("README.md");
    assert!(
        commands.iter().any(|(_, command)| command.starts_with("cargo test")),
        "README.md does not say how to test"
    );
}

/// The texts between the ellipses of each message in the table: somewhere the program says them.
#[test]
fn messages_are_what_is_printed() {
    let launcher = workspace_root().join("launcher/src");
    let sources =
        rust_files(&launcher).into_iter().map(|file| fs::read_to_string(file).expect("UTF-8"));
    // A text may go on in the next line of the source.
    let said = sources.collect::<String>().replace("\\\n", "\n");
    let said =
        said.split_whitespace().collect::<Vec<_>>().join(" ").replace("{LIBRARY}", "libflux.so");
    let text = fs::read_to_string(workspace_root().join("README.md")).expect("the manual");
    let (_, table) = text.split_once("## Messages and exit statuses").expect("the table");
    let (table, _) = table.split_once("\n## ").expect("the next heading");
    let mut asked = 0;
    for row in table.lines().filter(|row| row.starts_with("| 1") || row.starts_with("| at")) {
        let messages = row.split('|').nth(2).expect("a row of three");
        for part in messages.split('`').skip(1).step_by(2).flat_map(|message| message.split('…'))
        {
            let part = part.trim_matches([' ', ';', ':', ',', '(', ')', '\'']);
            assert!(said.contains(part), "README.md: nobody says {part:?}");
            asked += 1;
        }
    }
    assert!(asked > 40, "only {asked}");
}

fn rust_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .collect()
}
