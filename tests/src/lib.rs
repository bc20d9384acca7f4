//! The test harness: runs a program natively and under `flux-launch`, and compares.
//!
//! # Running any command
//! ```no_run
//! use flux_tests::{Mode, Run};
//! use std::time::Duration;
//!
//! let out = Run::new("bash")
//!     .args(["-c", "date; sleep 120; date"])
//!     .mode(Mode::Elapsed) // Native (the default), Elapsed or Frozen
//!     .flux_option("-v") // options for flux-launch itself, before `--`
//!     .env("TZ", "UTC")
//!     .stdin("text for its standard input") // the default is /dev/null
//!     .cwd("/tmp")
//!     .within(Duration::from_secs(10)) // SIGKILL for all it started, test fails; default 60 s
//!     .run();
//! out.assert_success();
//! assert_eq!(out.stdout.lines().count(), 2);
//! assert!(out.took < Duration::from_secs(1));
//! ```
//! `out.stderr`, `out.status`, `out.code()` (128+n after a death by signal n, as a shell says it)
//! are there as well. `Run::launcher()` runs flux-launch with a raw command line of your own, for
//! tests of the command line. `try_run` gives the time-out back instead of failing the test.
//!
//! # C guests
//! A guest is `guests/FAMILY/NAME.c`, includes `guest.h`, and prints only what is the same in every
//! run: return values, names of errors, the order of events, elapsed time in whole *units*. A unit
//! is `GUEST_UNIT_MS` milliseconds, so the same guest waits 30 ms natively and an hour under flux
//! and must print the same. [`guests!`] makes one test of each; [`Guest`] compiles one
//! (`Guest::new("sleep/nanosleep").compile()` is the path of the executable), [`same_everywhere`]
//! is what a test consists of.
//!
//! [`Matrix`] is all of them once more, linked or run in another way: `FLUX_TESTS_MATRIX=sync/
//! cargo test --test matrix_static`.
//!
//! # Programs under libidle.so
//! [`Tracked`] starts one and reads its state file: `Tracked::start(&mut
//! command).rest_past(0).number`.
//!
//! # Where things are
//! [`artifacts`] builds the workspace in release mode, once a test process, into the target folder
//! the test itself runs from: `artifacts().launcher`, `.libflux`, `.libidle`, `.dir`;
//! [`workspace_root`] is the top level of the repository.
//!
//! Two environment variables help while working: `FLUX_TESTS_NO_BUILD=1` takes the release
//! artifacts as they are, `FLUX_TESTS_NATIVE_ONLY=1` runs guests natively only (to check a guest
//! before there is anything to check with it).

mod artifacts;
mod guest;
mod load;
mod printed;
mod process_tree;
pub mod report;
mod run;
mod same;
mod tracked;
mod variant;

pub use artifacts::{Artifacts, artifacts, target_dir, workspace_root};
pub use guest::Guest;
pub use load::beside_load;
pub use run::{Mode, Outcome, Run, TimedOut, without_units};
pub use same::{NATIVE_UNIT_MS, Same, same_everywhere};
pub use tracked::{Rest, Tracked};
pub use variant::{Matrix, Variant};

/// One test for each guest of a family, and one that no file of the family's folder was forgotten.
///
/// `name: units` says how many units the guest waits at least, one after the other: natively it
/// must have taken that long, or it would prove nothing. Options after it are methods of [`Same`].
#[macro_export]
macro_rules! guests {
    ($family:literal; $($name:ident: $units:literal $(, $option:ident($($value:expr),*))*;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::Same::new(concat!($family, "/", stringify!($name)), $units)
                    $(.$option($($value),*))*
                    .check();
            }
        )*

        #[test]
        fn every_guest_of_the_folder_is_run() {
            $crate::Guest::assert_listed($family, &[$(stringify!($name)),*]);
        }
    };
}
