//! The same guest natively and under flux: the same output, only sooner.

use crate::guest::Guest;
use crate::printed::Printed;
use crate::report;
use crate::run::{Mode, Outcome, Run};
use std::path::PathBuf;
use std::time::Duration;

/// A unit natively: long against the delays of a busy machine, short against the patience of
/// whoever runs the tests.
pub const NATIVE_UNIT_MS: u64 = 30;
/// A short unit in elapsed mode, where a delay of the machine is a delay of the clock: longer than
/// those.
const ELAPSED_UNIT_MS: u64 = 10_000;
const HOUR_MS: u64 = 3_600_000;
/// The unit of guests that compute until it is over, natively and under flux.
const COMPUTED_UNIT_MS: u64 = 200;
/// A busy machine delays a native run now and then, and the guest counts a unit too many. Then the
/// guest runs once more, with a unit longer by this factor: a delay is a smaller part of that. The
/// product never gets a second attempt.
const NATIVE_ATTEMPTS: [u64; 6] = [1, 1, 2, 4, 8, 16];
/// What is waited for under flux is over in this much real time; a second would do for most guests
/// on an idle machine.
const SOON: Duration = Duration::from_secs(120);
/// What guests print when something is wrong.
const COMPLAINTS: [&str; 2] = ["EARLY", "FAIL"];
/// How much later than usual a native run may end on such a machine.
const NATIVE_DELAY: Duration = Duration::from_secs(15);

/// Runs `tests/guests/NAME.c` natively and in both modes; see [`Same`].
pub fn same_everywhere(name: &str, args: &[&str], units: u64) {
    let mut same = Same::new(name, units);
    for arg in args {
        same = same.arg(arg);
    }
    same.check();
}

/// What one guest's test consists of: frozen with the native unit, elapsed with a second, both with
/// an hour; then natively, which must print the same and must have taken as long as its waits are,
/// while an hour under flux is over in seconds.
#[derive(Clone, Debug)]
pub struct Same {
    guest: Guest,
    units: u64,
    args: Vec<String>,
    longest_unit: u64,
    native: bool,
    frozen: bool,
    options: Vec<String>,
}

impl Same {
    /// `units` is how many units the guest waits at least, one after the other.
    pub fn new(name: &str, units: u64) -> Self {
        Same {
            guest: Guest::new(name),
            units,
            args: Vec::new(),
            longest_unit: HOUR_MS,
            native: true,
            frozen: true,
            options: Vec::new(),
        }
    }

    /// One more argument for the guest.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// One more flag for the compiler.
    pub fn flag(mut self, flag: &str) -> Self {
        self.guest = self.guest.flag(flag);
        self
    }

    /// Another compiler than gcc.
    pub fn compiler(mut self, compiler: &str) -> Self {
        self.guest = self.guest.compiler(compiler);
        self
    }

    /// A shorter unit than an hour, for interfaces whose arguments do not reach that far.
    pub fn longest_unit_ms(mut self, unit: u64) -> Self {
        self.longest_unit = unit;
        self
    }

    /// The unit is no longer than this, where something takes long that its length decides.
    pub fn at_most_ms(mut self, unit: u64) -> Self {
        self.longest_unit = self.longest_unit.min(unit);
        self
    }

    /// For guests that compute until some time has passed: with an elapsed clock that is real time.
    /// They print nothing that a busy machine's delays change.
    pub fn computes(mut self) -> Self {
        self.longest_unit = COMPUTED_UNIT_MS;
        self
    }

    /// For what must not happen to the machine, such as setting its clock.
    pub fn only_under_flux(mut self) -> Self {
        self.native = false;
        self
    }

    /// For guests that compute for a while by the clock, which stands still in frozen mode.
    pub fn not_frozen(mut self) -> Self {
        self.frozen = false;
        self
    }

    /// For what is virtual under `--trace=all` alone.
    pub fn traced(mut self) -> Self {
        self.options = vec!["--trace=all".to_owned()];
        self
    }

    fn command(&self, mode: Mode, unit_ms: u64) -> Run {
        let run = Run::new(self.guest.compile())
            .mode(mode)
            .args(&self.args)
            .env("GUEST_UNIT_MS", unit_ms.to_string());
        let run = if mode == Mode::Native { run.before_others() } else { run };
        self.options.iter().fold(run, Run::flux_option)
    }

    /// What it waits for at least.
    fn least(&self, unit_ms: u64) -> Duration {
        Duration::from_millis(self.units * unit_ms)
    }

    /// A run under flux, where a busy machine is no excuse for anything but some seconds.
    fn run(&self, mode: Mode, unit_ms: u64) -> Outcome {
        let what = format!("{}, {mode:?}, unit {unit_ms} ms", self.guest.name());
        let outcome = self
            .command(mode, unit_ms)
            .within(SOON + NATIVE_DELAY)
            .try_run()
            .unwrap_or_else(|late| panic!("{what}: {late}"));
        for word in COMPLAINTS {
            assert!(!outcome.stdout.contains(word), "{what}: {outcome}");
        }
        assert!(outcome.took < SOON || self.least(unit_ms) < SOON, "{what}: not sooner: {outcome}");
        outcome
    }

    /// One run under flux, which must print what is expected.
    fn prints(&self, mode: Mode, unit_ms: u64, expected: &Printed) -> Result<(), Outcome> {
        let outcome = self.run(mode, unit_ms);
        if Printed::by(&outcome) == *expected { Ok(()) } else { Err(outcome) }
    }

    /// Fails unless the guest prints the same everywhere.
    pub fn check(&self) {
        let mut runs = Vec::new();
        for unit in [ELAPSED_UNIT_MS.min(self.longest_unit), self.longest_unit] {
            runs.push((Mode::Elapsed, unit));
        }
        for unit in [NATIVE_UNIT_MS.min(self.longest_unit), self.longest_unit] {
            if self.frozen {
                runs.push((Mode::Frozen, unit));
            }
        }
        self.check_in(&runs);
    }

    /// The same with the longest unit alone.
    pub fn check_longest(&self) {
        let modes = [Mode::Elapsed, Mode::Frozen].into_iter().take(1 + self.frozen as usize);
        self.check_in(&modes.map(|mode| (mode, self.longest_unit)).collect::<Vec<_>>());
    }

    /// In both modes, with the longest unit, built or run in another way than `guest`: fails unless
    /// it prints what that does natively, or, where libraries differ, what it does natively itself.
    pub fn check_beside(&self, guest: &Same) {
        if native_only() {
            return self.check_natively();
        }
        let mut expected = guest.known();
        for mode in [Mode::Elapsed, Mode::Frozen].into_iter().take(1 + self.frozen as usize) {
            let outcome = self.run(mode, self.longest_unit);
            let printed = Printed::by(&outcome);
            if expected.as_ref() == Some(&printed) {
                continue;
            }
            if expected.is_none() && guest.run_natively(Some(&printed)).is_ok() {
                printed.note(&guest.record());
                expected = Some(printed);
                continue;
            }
            let what = format!("{}: {mode:?}, not the same", self.guest.name());
            assert!(self.native, "{what}\n--- expected\n{expected:?}\n--- but\n{outcome}");
            // It may have left out what another library has not, and wait for less.
            let native = Same { units: 0, ..self.clone() }.run_natively(Some(&printed));
            native.unwrap_or_else(|native| {
                panic!("{what}\n--- natively\n{native}\n--- but\n{outcome}")
            });
        }
    }

    /// What it is known to print natively, which is the same in every run: another test may have
    /// found out. Of what must not run natively, what it prints under flux.
    fn known(&self) -> Option<Printed> {
        if !self.native {
            return Some(Printed::by(self.run(Mode::Elapsed, self.longest_unit).assert_success()));
        }
        Printed::found(&self.record())
    }

    /// The file that says what it prints natively. The executable's name says what it was built
    /// from.
    fn record(&self) -> PathBuf {
        let arguments: String = self.args.iter().map(|arg| format!(".{arg}")).collect();
        let mut path = self.guest.compile().into_os_string();
        path.push(format!("{arguments}.native"));
        path.into()
    }

    fn check_natively(&self) {
        if self.native {
            let native = self.run_natively(None).unwrap_or_else(|bad| panic!("natively: {bad}"));
            assert!(native.stderr.is_empty(), "{native:?}");
        }
    }

    fn check_in(&self, runs: &[(Mode, u64)]) {
        if native_only() {
            return self.check_natively();
        }
        // A frozen clock is the one that no delay moves.
        let &(first_mode, first_unit) =
            runs.iter().find(|(mode, _)| *mode == Mode::Frozen).unwrap_or(&runs[0]);
        let first = self.run(first_mode, first_unit);
        if !self.native {
            first.assert_success();
        }
        let expected = Printed::by(&first);
        let name = self.guest.name();
        for &(mode, unit) in runs.iter().filter(|&&run| run != (first_mode, first_unit)) {
            self.prints(mode, unit, &expected).unwrap_or_else(|outcome| {
                panic!("{name}: not the same\n--- {first_mode:?}, unit {first_unit} ms\n{first}\n--- {mode:?}, unit {unit} ms\n{outcome}")
            });
        }
        if self.native {
            self.run_natively(Some(&expected)).unwrap_or_else(|native| {
                panic!(
                    "{name}: not the same\n--- natively\n{native}\n--- {first_mode:?}, unit {first_unit} ms\n{first}"
                )
            });
            expected.note(&self.record());
        }
    }

    /// What one native run prints: what is expected, or where nothing is, anything without a
    /// complaint. A native run is repeated, because natively there is such a thing as bad luck: a
    /// guest may even hang when an event that it waits for has come too early. Each repetition is
    /// reported.
    fn run_natively(&self, expected: Option<&Printed>) -> Result<Printed, String> {
        let mut last = String::new();
        for (attempt, factor) in NATIVE_ATTEMPTS.into_iter().enumerate() {
            if attempt > 0 {
                report::retried_natively(self.guest.name(), &last);
            }
            let unit = NATIVE_UNIT_MS * factor;
            let least = self.least(unit);
            let outcome =
                match self.command(Mode::Native, unit).within(2 * least + NATIVE_DELAY).try_run() {
                    Ok(outcome) => outcome,
                    Err(late) => {
                        last = late.to_string();
                        continue;
                    }
                };
            let printed = Printed::by(&outcome);
            let fine = match expected {
                Some(expected) => printed == *expected,
                None => !COMPLAINTS.iter().any(|word| outcome.stdout.contains(word)),
            };
            if fine {
                // Without the tool the waits are real, or the guest would prove nothing.
                assert!(
                    outcome.took >= least,
                    "natively it should have taken {least:?}: {outcome}"
                );
                return Ok(printed);
            }
            last = match expected {
                Some(expected) => format!("{}\n{outcome}", printed.difference(expected)),
                None => outcome.to_string(),
            };
        }
        Err(last)
    }
}

fn native_only() -> bool {
    std::env::var_os("FLUX_TESTS_NATIVE_ONLY").is_some()
}
