//! Where the things under test are, and building them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The release build of the workspace.
#[derive(Debug)]
pub struct Artifacts {
    /// The folder of all of them; `flux-launch` finds the libraries next to itself.
    pub dir: PathBuf,
    /// `flux-launch`.
    pub launcher: PathBuf,
    /// `libflux.so`.
    pub libflux: PathBuf,
    /// `libidle.so`.
    pub libidle: PathBuf,
}

/// The top level of the repository.
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent")
}

/// The target folder this very test was built into: `TARGET/debug/deps/test-…`, or one level deeper
/// with `--target`.
///
/// Asked of the executable and not of CARGO_TARGET_DIR, because `--target-dir` and configuration
/// files can choose it too.
pub fn target_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let exe = std::env::current_exe().expect("the test's own path");
        let tagged = exe.ancestors().skip(1).find(|dir| dir.join("CACHEDIR.TAG").exists());
        match tagged {
            Some(dir) => dir.to_path_buf(),
            None => workspace_root().join("target"),
        }
    })
}

/// Builds the workspace in release mode, once a test process. Cargo's own lock makes test processes
/// take turns.
pub fn artifacts() -> &'static Artifacts {
    static ARTIFACTS: OnceLock<Artifacts> = OnceLock::new();
    ARTIFACTS.get_or_init(|| {
        // Another build than this checkout's own: see tests/patience/run.
        let other = std::env::var_os("FLUX_TESTS_ARTIFACTS").map(PathBuf::from);
        if other.is_none() && std::env::var_os("FLUX_TESTS_NO_BUILD").is_none() {
            build();
        }
        let dir = other.unwrap_or_else(|| target_dir().join("release"));
        let artifacts = Artifacts {
            launcher: dir.join("flux-launch"),
            libflux: dir.join("libflux.so"),
            libidle: dir.join("libidle.so"),
            dir,
        };
        assert!(artifacts.launcher.exists(), "{} was not built", artifacts.launcher.display());
        assert!(artifacts.libflux.exists(), "{} was not built", artifacts.libflux.display());
        artifacts
    })
}

fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--workspace", "--exclude", "flux-tests"])
        .arg("--target-dir")
        .arg(target_dir())
        .current_dir(workspace_root());
    // What the outer cargo told the test about its package would make the inner one rebuild what
    // depends on it.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "CARGO_MANIFEST_DIR"
            || name == "LD_LIBRARY_PATH"
        {
            command.env_remove(name);
        }
    }
    let output = command.output().expect("cargo starts");
    assert!(
        output.status.success(),
        "cargo build --release failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
