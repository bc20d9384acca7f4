//! `libidle.h` and `flux.h`: every dialect compiles them without a warning, and they do nothing
//! where the library is not loaded.

mod command;

use command::Scratch;
use flux_tests::{Outcome, Run, workspace_root};
use std::process::Command;

const STRICT: &[&str] = &["-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread"];
const DIALECTS: &[(&str, &[&str])] = &[
    ("c", &["c89", "gnu89", "c99", "c11", "gnu17"]),
    ("c++", &["c++98", "c++11", "gnu++17", "c++20"]),
];
/// Eight threads, 1 000 rounds; a second source file adds a pair of its own to each.
const ALL_CALLS: &str = "idle 16000 16000 busy 8000 8000\n";

fn source(name: &str) -> String {
    workspace_root().join("tests/programs/header").join(name).display().to_string()
}

fn compile(arguments: &[&str], output: &str) {
    let mut command = Command::new("gcc");
    command.args(STRICT).args(arguments).args(["-o", output]);
    let done = command.output().expect("gcc starts");
    assert!(done.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&done.stderr));
}

fn program(scratch: &Scratch, language: &str, dialect: &str, optimise: &str) -> String {
    let include = format!("-I{}", workspace_root().join("libidle/include").display());
    let program = scratch.file(&format!("calls-{dialect}{optimise}"));
    let dialect = format!("-std={dialect}");
    let (calls, other) = (source("calls.c"), source("other_file.c"));
    let runtime = if language == "c++" { "-lstdc++" } else { "-lc" };
    compile(
        &[&dialect, optimise, &include, "-x", language, &calls, &other, "-ldl", runtime],
        &program,
    );
    program
}

#[track_caller]
fn assert_printed(outcome: &Outcome, expected: &str) {
    assert_eq!(
        (outcome.assert_success().stdout.as_str(), outcome.stderr.as_str()),
        (expected, ""),
        "{outcome}"
    );
}

#[test]
fn every_dialect_with_and_without_the_library() {
    let scratch = Scratch::new("header");
    let library = scratch.file("stand_in.so");
    compile(&["-O2", "-shared", "-fPIC", &source("stand_in.c")], &library);
    for &(language, dialects) in DIALECTS {
        for dialect in dialects {
            let program = program(&scratch, language, dialect, "-O2");
            assert_printed(&Run::new(&program).run(), "");
            assert_printed(&Run::new(&program).env("LD_PRELOAD", &library).run(), ALL_CALLS);
        }
        assert_printed(&Run::new(program(&scratch, language, dialects[0], "-O0")).run(), "");
    }
}

#[test]
fn flux_h_in_every_dialect() {
    let scratch = Scratch::new("header-flux");
    let include = format!("-I{}", workspace_root().join("libflux/include").display());
    for &(language, dialects) in DIALECTS {
        for dialect in dialects {
            let name = scratch.file(&format!("flux-{dialect}"));
            let runtime = if language == "c++" { "-lstdc++" } else { "-lc" };
            let dialect = format!("-std={dialect}");
            let arguments =
                [&dialect, "-O2", &include, "-D_POSIX_C_SOURCE=200809L", "-x", language];
            compile(&[&arguments[..], &[&source("flux.c"), "-ldl", runtime]].concat(), &name);
            assert_printed(&Run::new(&name).run(), "0 1 1 -1 0 -1 -1\n");
        }
    }
}

#[test]
fn nothing_else_of_a_program_changes() {
    // Other names would be in the way of the program's own, and a library to link would be one to
    // install.
    let scratch = Scratch::new("header-names");
    let program = program(&scratch, "c", "c11", "-O2");
    let needed = Run::new("objdump").args(["-p", &program]).run();
    let libraries: Vec<_> = needed.stdout.lines().filter(|line| line.contains("NEEDED")).collect();
    assert!(libraries.iter().all(|line| !line.contains("libidle")), "{libraries:?}");
    let names = Run::new("nm").args(["--extern-only", "--defined-only", &program]).run();
    assert!(!names.stdout.contains("libidle"), "{names}");
}

#[test]
fn pkg_config_finds_what_was_installed() {
    let scratch = Scratch::new("pkg-config");
    let text =
        std::fs::read_to_string(workspace_root().join("libidle/libidle.pc")).expect("the file");
    assert!(
        text.contains(concat!("Version: ", env!("CARGO_PKG_VERSION"), "\n")),
        "not the version of the workspace"
    );
    let prefix = scratch.file("prefix");
    let folder = format!("{prefix}/lib/pkgconfig");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(format!("{folder}/libidle.pc"), text).expect("copied");
    let ask = |what: &str| {
        let outcome =
            Run::new("pkg-config").args([what, "libidle"]).env("PKG_CONFIG_PATH", &folder).run();
        outcome.assert_success().stdout.trim().replace("/lib/pkgconfig/../..", "")
    };
    assert_eq!(ask("--cflags"), format!("-I{prefix}/include"));
    assert_eq!(ask("--variable=library"), format!("{prefix}/lib/libidle.so"));
    assert_eq!(ask("--modversion"), env!("CARGO_PKG_VERSION"));
}
