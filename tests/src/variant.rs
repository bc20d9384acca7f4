//! The guests once more, built or run in another way: under flux each prints what it does natively.

use crate::artifacts::workspace_root;
use crate::same::Same;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

/// Guests that run at the same time: natively they mostly sleep.
const AT_ONCE: usize = 4;

/// How guests are built and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Statically linked with glibc.
    Static,
    /// Statically linked with musl.
    Musl,
    /// Their own waits and clock reads are calls of syscall(2).
    Syscall,
    /// Their own waits are system calls in line, which the library does not see.
    RawWaits,
    /// Statically linked, and their own waits, clock reads and timers are system calls in line.
    Raw,
    /// As they are, under `--trace=all`.
    Traced,
    /// The waits and clock reads of guests with the library are system calls in line, under
    /// `--trace=all`.
    TracedRaw,
}

impl Variant {
    fn check(self, guest: Same) {
        let varied = self.of(guest.clone());
        match self {
            // What hooks do with a frozen clock other guests have shown.
            Variant::Syscall | Variant::RawWaits => varied.not_frozen().check_beside(&guest),
            _ => varied.check_beside(&guest),
        }
    }

    /// Do the guests' own calls stop for the tracer? Then they make fewer of them where the number
    /// does not matter.
    fn is_traced(self) -> bool {
        !matches!(self, Variant::Syscall | Variant::RawWaits)
    }

    fn of(self, guest: Same) -> Same {
        let guest = if self.is_traced() { guest.flag("-DFEW") } else { guest };
        let header = |name: &str| format!("{}/tests/guests/{name}", workspace_root().display());
        match self {
            Variant::Static => guest.flag("-static"),
            Variant::Musl => {
                // The kernel's headers, which musl has not.
                let after =
                    ["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"];
                let guest = guest
                    .compiler("musl-gcc")
                    .flag("-static")
                    .flag("-include")
                    .flag(&header("musl.h"));
                after.into_iter().fold(guest, Same::flag)
            }
            Variant::Syscall => guest.flag("-include").flag(&header("raw.h")).flag("-DRAW_BY_LIBC"),
            Variant::RawWaits => guest.flag("-include").flag(&header("raw.h")).flag("-DRAW_WAITS"),
            Variant::Traced => guest.traced(),
            Variant::TracedRaw => {
                guest.traced().flag("-include").flag(&header("raw.h")).flag("-DRAW_NO_TIMERS")
            }
            Variant::Raw => guest.flag("-static").flag("-include").flag(&header("raw.h")),
        }
    }
}

/// All guests of all families in one variant, but for those that are excepted, each with its
/// reason.
#[derive(Debug)]
pub struct Matrix {
    variant: Variant,
    except: Vec<(&'static str, &'static str)>,
    at_most_ms: Vec<(&'static str, u64)>,
}

impl Matrix {
    /// All guests.
    pub fn new(variant: Variant) -> Self {
        Matrix { variant, except: Vec::new(), at_most_ms: Vec::new() }
    }

    /// Leaves out the guests of family `spin` that ask again and again.
    pub fn except_loops(self, reason: &'static str) -> Self {
        const LOOPS: [&str; 10] = [
            "spin/arms",
            "spin/blocks",
            "spin/both_ask",
            "spin/children",
            "spin/descriptors",
            "spin/instants",
            "spin/late",
            "spin/locks",
            "spin/looks",
            "spin/paths",
        ];
        LOOPS.into_iter().fold(self, |matrix, guest| matrix.except(guest, reason))
    }

    /// `guest` (`family/name`, or `family/` for all of it) says nothing about the variant, or does
    /// not exist in it.
    pub fn except(mut self, guest: &'static str, reason: &'static str) -> Self {
        self.except.push((guest, reason));
        self
    }

    /// The unit of `guest` is no longer than this; of several that apply the shortest.
    pub fn at_most_ms(mut self, guest: &'static str, unit: u64) -> Self {
        self.at_most_ms.push((guest, unit));
        self
    }

    /// Fails, naming them, unless each guest prints the same everywhere. FLUX_TESTS_MATRIX chooses
    /// those whose name it is in.
    pub fn check(&self) {
        let all = tables();
        for (guest, reason) in &self.except {
            assert!(
                all.iter().any(|row| row.name.starts_with(guest)),
                "no guest {guest}, which is excepted: {reason}"
            );
        }
        let chosen = std::env::var("FLUX_TESTS_MATRIX").unwrap_or_default();
        let applies = |row: &Row| !self.except.iter().any(|(guest, _)| row.name.starts_with(guest));
        let rows: Vec<Row> =
            all.into_iter().filter(|row| row.name.contains(&chosen)).filter(applies).collect();
        let (queue, failed) = (Mutex::new(rows.iter()), Mutex::new(Vec::new()));
        let next = || queue.lock().expect("no panic while locked").next();
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(row) = next() {
                        let shorter =
                            self.at_most_ms.iter().filter(|(guest, _)| row.name.starts_with(guest));
                        let guest =
                            shorter.fold(row.guest(), |guest, &(_, unit)| guest.at_most_ms(unit));
                        if catch_unwind(AssertUnwindSafe(|| self.variant.check(guest))).is_err() {
                            failed.lock().expect("no panic while locked").push(row.name.clone());
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner().expect("no panic while locked");
        assert!(
            failed.is_empty(),
            "{:?}, {} of {}: {failed:#?}",
            self.variant,
            failed.len(),
            rows.len()
        );
    }
}

/// A guest's row in its family's table.
struct Row {
    name: String,
    units: u64,
    /// Name and argument.
    options: Vec<(String, String)>,
}

impl Row {
    fn guest(&self) -> Same {
        self.options.iter().fold(Same::new(&self.name, self.units), |guest, (option, value)| {
            let number = || value.replace('_', "").parse().expect("a number");
            match option.as_str() {
                "longest_unit_ms" => guest.longest_unit_ms(number()),
                "flag" => guest.flag(value.trim_matches('"')),
                "arg" => guest.arg(value.trim_matches('"')),
                "only_under_flux" => guest.only_under_flux(),
                "computes" => guest.computes(),
                "not_frozen" => guest.not_frozen(),
                "traced" => guest.traced(),
                other => panic!("{}: the matrix knows nothing of {other}", self.name),
            }
        })
    }
}

/// The rows of [`crate::guests!`] in all of `tests/tests/guests_*.rs`: a guest that is added there
/// is in the matrix.
fn tables() -> Vec<Row> {
    let files = fs::read_dir(workspace_root().join("tests/tests")).expect("the folder of tests");
    let paths = files.map(|file| file.expect("a folder entry").path());
    let mut rows: Vec<Row> = paths
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("guests_"))
        })
        .flat_map(|path| table(&fs::read_to_string(&path).expect("a test's source")))
        .collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

fn table(source: &str) -> Vec<Row> {
    let (_, body) = source.split_once("guests! {").expect("a table");
    let (body, _) = body.split_once('}').expect("its end");
    let lines = body.lines().map(|line| line.split("//").next().unwrap_or_default());
    let text: String = lines.collect::<Vec<_>>().join(" ");
    let mut statements = text.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    let family = statements.next().expect("the family").trim_matches('"').to_owned();
    statements
        .map(|statement| {
            let (name, rest) = statement.split_once(':').expect("name: units");
            let mut words = rest.split(", ").map(str::trim);
            let units = words.next().and_then(|units| units.parse().ok()).expect("units");
            let options = words.map(|option| {
                let (name, value) = option.split_once('(').expect("option(value)");
                (name.to_owned(), value.trim_end_matches(')').to_owned())
            });
            Row { name: format!("{family}/{}", name.trim()), units, options: options.collect() }
        })
        .collect()
}
