//! Compiling a C guest.

use crate::artifacts::{target_dir, workspace_root};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const FLAGS: &[&str] = &["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-D_GNU_SOURCE"];

/// One C program under `tests/guests/`.
#[derive(Clone, Debug)]
pub struct Guest {
    name: String,
    compiler: String,
    flags: Vec<String>,
}

impl Guest {
    /// `name` is the path below `tests/guests/`, without `.c`.
    pub fn new(name: &str) -> Self {
        Guest { name: name.to_owned(), compiler: "gcc".to_owned(), flags: Vec::new() }
    }

    /// A compiler flag beyond the usual ones.
    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Another compiler than gcc.
    pub fn compiler(mut self, compiler: &str) -> Self {
        self.compiler = compiler.to_owned();
        self
    }

    /// The path below `tests/guests/`, without `.c`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Compiles the guest unless that was done before, and gives the executable's path.
    ///
    /// The path holds a hash of all that went into it, so a changed source is never mistaken for a
    /// built one.
    pub fn compile(&self) -> PathBuf {
        let source = guests_dir().join(&self.name).with_extension("c");
        let mut inputs = vec![source.clone()];
        inputs.extend(headers(&guests_dir()));
        inputs.extend(headers(source.parent().expect("a family's folder")));
        let mut hash = DefaultHasher::new();
        for file in inputs {
            let text = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            text.hash(&mut hash);
        }
        (FLAGS, &self.compiler, &self.flags).hash(&mut hash);

        let dir = target_dir().join("guests");
        fs::create_dir_all(&dir).expect("a folder for compiled guests");
        let stem = self.name.replace('/', "-");
        let executable = dir.join(format!("{stem}-{:016x}", hash.finish()));
        if !executable.exists() {
            self.compile_to(&source, &executable);
        }
        executable
    }

    /// Compiles under a name of its own and renames: another test may be compiling the same guest
    /// right now.
    fn compile_to(&self, source: &Path, executable: &Path) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("tmp{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let temporary = executable.with_extension(unique);
        let output = Command::new(&self.compiler)
            .args(FLAGS)
            .args(&self.flags)
            .arg("-I")
            .arg(guests_dir())
            .arg("-o")
            .arg(&temporary)
            .arg(source)
            .output()
            .expect("the compiler starts");
        assert!(
            output.status.success(),
            "{} does not compile:\n{}",
            source.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        fs::rename(&temporary, executable).expect("the compiled guest gets its name");
    }

    /// Fails unless the tests `names` are exactly the C files of `family`.
    pub fn assert_listed(family: &str, names: &[&str]) {
        let mut listed: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut present: Vec<String> = fs::read_dir(guests_dir().join(family))
            .expect("the family's folder")
            .map(|entry| entry.expect("a folder entry").path())
            .filter(|path| path.extension().is_some_and(|e| e == "c"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        listed.sort();
        present.sort();
        assert_eq!(listed, present, "left: the tests; right: the files in guests/{family}");
    }
}

fn headers(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder entry").path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == "h"));
    found.sort();
    found
}

fn guests_dir() -> PathBuf {
    workspace_root().join("tests/guests")
}
