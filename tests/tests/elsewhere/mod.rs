//! Scripts that run as another user, in other namespaces or another root, and stay in the session.

#![allow(dead_code, reason = "each test file uses a part")]

use flux_tests::{Mode, Run, artifacts, report};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use std::{env, fs};

/// Far less than the hour that each script sleeps at least, and more than a busy machine needs.
pub const JUMPED: Duration = Duration::from_secs(50);

/// A copy of the library that every user can read, wherever the repository lies.
pub struct Library(pub PathBuf);

impl Library {
    pub fn new() -> Library {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("flux-privileges-{}-{}", std::process::id(), COPIES.fetch_add(1, Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(&artifacts().libflux, folder.join("libflux.so")).unwrap();
        Library(folder)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The script prints the same natively, where what it sleeps is nothing, and in both clock modes,
/// where it is hours.
#[track_caller]
pub fn stays(words: &[&str], script: &str) {
    // `true` instead of the shell: may this be done at all?
    let allowed = Command::new(words[0]).args(&words[1..]).arg("true").output();
    let allowed = allowed.unwrap_or_else(|e| panic!("{words:?}: {e}"));
    if !allowed.status.success() {
        report::not_allowed(&words.join(" "), &allowed);
        return;
    }
    let library = Library::new();
    let run = |script: &str, mode| {
        Run::new(words[0])
            .args(&words[1..])
            .args(["bash", "-c", script])
            .mode(mode)
            .flux_option(format!("--libpath={}", library.0.display()))
            .cwd("/")
            .within(JUMPED)
            .run()
    };
    let native = run(&script.replace("HOUR", "0.01"), Mode::Native).assert_success().stdout.clone();
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let outcome = run(&script.replace("HOUR", "3600"), mode);
        assert_eq!(outcome.assert_success().stdout, native, "{mode:?}: {outcome}");
    }
}
