//! The rules that keep the parts apart, checked on the sources: `cargo test -p flux-tests --test
//! layering -- --nocapture` prints all that breaks one, with the names that tie the files.

mod floors;
mod form;
mod graph;

mod rule;
mod source;
mod walls;

use flux_tests::workspace_root;
use source::{matching, sources};
use std::fs;

/// Fails for each file below `folder` whose code, without comments, strings and tests, has one of
/// these.
#[track_caller]
fn assert_without(folder: &str, words: &[&str]) {
    let mut found = Vec::new();
    for source in sources(folder) {
        let lines = words.iter().filter_map(|word| Some((word, source.find(word)?)));
        found.extend(lines.map(|(word, line)| format!("{}:{line}: {word}", source.name)));
    }
    assert!(found.is_empty(), "not allowed below {folder}:\n{}", found.join("\n"));
}

/// What makes a symbol known outside the library.
const EXPORTS: &[&str] = &["no_mangle", "export_name"];

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
    assert_without("libidle/engine/src", &["extern", "no_mangle", "export_name"]);
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
        &["Vec", "String", "format!", "Box", "HashMap", "std::fs", "extern"],
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
    // Rows are exported by the libraries that list them; see the engine's rule above. The
    // attribute inside a macro's definition takes effect where the macro is used.
    for source in sources("libidle/interpose/src") {
        let code = source.code();
        let mut inside = 0;
        for (at, token) in code.iter().enumerate() {
            if token.is("macro_rules") {
                inside = at + 3 + matching(&code[at + 3..]);
            }
            let exports = at >= inside && EXPORTS.iter().any(|name| token.is(name));
            assert!(!exports, "{}:{} exports a symbol", source.name, token.line + 1);
        }
    }
}

#[test]
fn the_top_level_holds_what_it_should() {
    for name in ["Cargo.toml", "libidle", "libflux", "launcher", "tests", "c-examples", "README.md"]
    {
        assert!(workspace_root().join(name).exists(), "no {name}");
    }
}
