//! The words of flux-launch's command line: where the command begins, what separates several, and
//! what is said of one that is not there.

mod command;

use command::*;
use flux_tests::artifacts;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

#[test]
fn words_of_the_command_are_the_commands() {
    // Only the first two dashes are flux-launch's; without them the first word that is no option
    // begins the command.
    let words =
        ["printf", "<%s>", "--", "-v", "", "--many", "--", "--clock=frozen", "--help", "--"];
    let printed = "<--><-v><><--many><--><--clock=frozen><--help><-->";
    for options in [&["--"][..], &[], &["--clock", "elapsed"], &["--clock=frozen", "--"]] {
        let outcome = flux([options, &words[..]].concat());
        assert_eq!(outcome.assert_success().stdout, printed, "{options:?}: {outcome}");
    }
    let script = "for word; do printf '<%s>' \"$word\"; done";
    let nested = ["--", artifacts().launcher.to_str().expect("UTF-8"), "sh", "-c", script, "--"];
    let outcome = flux([&nested[..], &words[2..]].concat());
    assert_eq!(outcome.assert_success().stdout, printed, "{outcome}");
    if running_as_root() {
        let outcome = flux(["--", "setpriv", "--reuid=65534", "--clear-groups", "--", "id", "-u"]);
        assert_eq!(outcome.assert_success().stdout, "65534\n", "{outcome}");
    }
}

#[test]
fn words_that_are_no_text() {
    let word = OsStr::from_bytes(b"\xff\xfe");
    let command = ["--", "sh", "-c", "printf %s \"$1\" | od -An -tx1", "sh"].map(OsStr::new);
    let outcome = flux(command.into_iter().chain([word]));
    assert_eq!(outcome.assert_success().stdout.trim(), "ff fe", "{outcome}");
    for args in [[word, "true".as_ref()], ["--".as_ref(), word], ["--signal".as_ref(), word]] {
        let outcome = flux(args);
        let code = if args[0] == "--signal" { 2 } else { 127 };
        assert_refused(&outcome, code, &[]);
    }
}

#[test]
fn another_word_separates() {
    for options in [&["--separator", ","][..], &["--many", "--separator=,"]] {
        let outcome = flux([options, &["echo", "1", "--", ",", "echo", "2", ","]].concat());
        assert_eq!(outcome.assert_success().stdout, "1 --\n2\n", "{options:?}: {outcome}");
    }
}

// Commands that are not there.

#[test]
fn a_line_for_a_shell() {
    let outcome = flux(["--", "sleep 12; date"]);
    assert_refused(&outcome, 127, &["command not found", "flux-launch -- sh -c 'sleep 12; date'"]);
    // Not of a file whose name looks like one, and not of several words.
    let scratch = Scratch::new("line");
    let file = scratch.file("sleep 12; date");
    fs::write(&file, "#!/bin/sh\necho ran\n").expect("written");
    assert_refused(&flux(["--", &file]), 126, &["not executable"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
    assert_eq!(flux(["--", &file]).assert_success().stdout, "ran\n");
    let outcome = flux(["--", "no such", "command"]);
    assert!(!outcome.stderr.contains("sh -c"), "{outcome}");
}

#[test]
fn names_that_are_odd() {
    assert_refused(&flux(["--", ""]), 127, &["'': command not found"]);
    assert_refused(&flux(["--", "two\nlines"]), 127, &["two\\nlines: command not found"]);
    assert_refused(&flux(["--", "/etc/passwd/x"]), 126, &["Not a directory"]);
    let scratch = Scratch::new("interpreter");
    let file = scratch.file("script");
    fs::write(&file, "#!/no/such/interpreter\n").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
    assert_refused(&flux(["--", &file]), 126, &["its interpreter is not there"]);
    // Without a first line it is one for sh(1), as execvp(3) has it.
    fs::write(&file, "echo ran\n").expect("written");
    assert_eq!(flux(["--", &file]).assert_success().stdout, "ran\n");
}
