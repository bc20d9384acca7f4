//! The rules that keep the parts apart, checked on the sources.

use flux_tests::workspace_root;
use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this does more than one thing.
const LONGEST_FILE: usize = 410;
/// How far above its block a SAFETY comment may begin.
const SAFETY_WITHIN: usize = 6;

struct Source {
    /// Relative to the top level.
    name: String,
    text: String,
}

/// All Rust files below a folder.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    visit(&workspace_root().join(folder), &mut found);
    assert!(!found.is_empty(), "no sources in {folder}");
    found
        .into_iter()
        .map(|path| Source {
            name: path.strip_prefix(workspace_root()).expect("below it").display().to_string(),
            text: fs::read_to_string(&path).expect("UTF-8"),
        })
        .collect()
}

fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.ends_with("target") {
            visit(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The part of a line before a `//` comment. Text in string literals counts as code, which is good
/// enough here.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

/// Fails for each line of code below `folder` that holds one of the words.
#[track_caller]
fn assert_without(folder: &str, words: &[&str]) {
    let mut found = Vec::new();
    for source in sources(folder) {
        for (number, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| code(line).contains(**word)) {
                found.push(format!("{}:{}: {word}", source.name, number + 1));
            }
        }
    }
    assert!(found.is_empty(), "not allowed below {folder}:\n{}", found.join("\n"));
}

/// The packages that a manifest depends on, in any of its dependency tables.
fn dependencies(folder: &str) -> Vec<String> {
    let path = workspace_root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut names = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            // `[dependencies]`, `[target.'…'.dependencies]`, and `[dependencies.NAME]`.
            inside = header.ends_with("dependencies");
            if let Some((table, name)) = header.rsplit_once('.') {
                names.extend(table.ends_with("dependencies").then(|| name.to_owned()));
            }
        } else if inside && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            names.extend((end > 0).then(|| line[..end].to_owned()));
        }
    }
    names
}

#[track_caller]
fn assert_independent(folder: &str, of: &[&str]) {
    for name in dependencies(folder) {
        assert!(!of.contains(&name.as_str()), "{folder} must not depend on {name}");
    }
}

#[test]
fn the_engine_knows_no_c_abi() {
    // A symbol that a library crate exports would be exported by every library that links it.
    assert_without("libidle/engine/src", &["extern \"C", "no_mangle", "export_name"]);
    assert_independent(
        "libidle/engine",
        &["interpose", "libidle", "libflux", "flux-launch", "redhook", "nix", "clap"],
    );
}

#[test]
fn the_look_allocates_nothing() {
    // In libidle.so it runs inside the program, beside its threads.
    assert_without(
        "libidle/look/src",
        &["Vec", "String", "format!", "Box", "HashMap", "std::fs", "extern \"C"],
    );
    assert_independent(
        "libidle/look",
        &["interpose", "libidle", "libflux", "flux-launch", "nix", "clap"],
    );
}

#[test]
fn hooks_know_no_tracer() {
    assert_independent("libidle/interpose", &["libidle", "libflux", "flux-launch", "nix", "clap"]);
    // They pass on what a debugger asks for, and trace nobody themselves.
    assert_without("libidle/interpose/src", &["libc::ptrace", "SYS_ptrace"]);
    assert_independent("libflux", &["libidle", "flux-launch", "nix", "clap"]);
    assert_without("libflux/src", &["libc::ptrace", "SYS_ptrace"]);
}

#[test]
fn shared_crates_export_nothing() {
    // Rows are exported by the libraries that list them; see the engine's rule above. Inside a
    // macro the attribute is indented, and takes effect where the macro is used.
    for source in sources("libidle/interpose/src") {
        for (number, line) in source.text.lines().enumerate() {
            let exports = line.starts_with("#[")
                && (line.contains("no_mangle") || line.contains("export_name"));
            assert!(!exports, "{}:{} exports a symbol", source.name, number + 1);
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut long = Vec::new();
    for folder in ["libidle", "libflux", "launcher", "tests"] {
        for source in sources(folder) {
            let lines = source.text.lines().count();
            if lines > LONGEST_FILE {
                long.push(format!("{}: {lines} lines", source.name));
            }
        }
    }
    assert!(long.is_empty(), "more than {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut silent = Vec::new();
    for folder in ["libidle", "libflux", "launcher", "tests/src", "tests/tests"] {
        for source in sources(folder) {
            let lines: Vec<_> = source.text.lines().collect();
            for (number, line) in lines.iter().enumerate() {
                let opens = code(line).contains("unsafe {") || code(line).contains("unsafe impl");
                let above = &lines[number.saturating_sub(SAFETY_WITHIN)..=number];
                if opens && !above.iter().any(|line| line.contains("SAFETY")) {
                    silent.push(format!("{}:{}", source.name, number + 1));
                }
            }
        }
    }
    // This file names what it looks for.
    silent.retain(|place| !place.starts_with("tests/tests/layering.rs:"));
    assert!(silent.is_empty(), "unsafe without a SAFETY comment above:\n{}", silent.join("\n"));
}

#[test]
fn the_top_level_holds_what_it_should() {
    for name in ["Cargo.toml", "libidle", "libflux", "launcher", "tests", "c-examples", "README.md"]
    {
        assert!(workspace_root().join(name).exists(), "no {name}");
    }
}
