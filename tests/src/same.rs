//! The same guest natively and under flux: the same output, only sooner.

use crate::guest::Guest;
use crate::run::{Mode, Outcome, Run};
use std::time::Duration;

/// A unit natively: long against the delays of a busy machine, short against the patience of whoever runs the tests.
pub const NATIVE_UNIT_MS: u64 = 30;
/// A short unit in elapsed mode, where a delay of the machine is a delay of the clock; waiting it out would still be noticed.
const ELAPSED_UNIT_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;
/// A machine with other work to do delays a native run now and then, and then it counts a unit too many: it is run again, with
/// longer units in the end, so that a delay is a smaller part of each.
const NATIVE_ATTEMPTS: [u64; 6] = [1, 1, 1, 2, 4, 8];
/// What is waited for under flux is over in this much real time; a second would do for most guests on an idle machine.
const SOON: Duration = Duration::from_secs(20);
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

/// What one guest's test consists of:
/// frozen with the native unit, elapsed with a second, both with an hour; then natively, which must print the same and must
/// have taken as long as its waits are, while an hour under flux is over in seconds.
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
        let run = Run::new(self.guest.compile()).mode(mode).args(&self.args).env("GUEST_UNIT_MS", unit_ms.to_string());
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
        for word in ["EARLY", "FAIL"] {
            assert!(!outcome.stdout.contains(word), "{what}: {outcome}");
        }
        assert!(outcome.took < SOON || self.least(unit_ms) < SOON, "{what}: not sooner: {outcome}");
        outcome
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

    /// The same with one run under flux: elapsed, with the longest unit.
    pub fn check_briefly(&self) {
        self.check_in(&[(Mode::Elapsed, self.longest_unit)]);
    }

    /// Under `--trace=all`, in both modes, each with the longest unit: prints what `guest` does in an ordinary session. Other tests
    /// compare that with a native run.
    pub fn check_traced(&self, guest: &Same) {
        let ordinary = guest.run(Mode::Elapsed, self.longest_unit);
        let traced = self.clone().traced();
        let modes = [Mode::Elapsed, Mode::Frozen];
        for mode in modes.into_iter().take(1 + self.frozen as usize) {
            let outcome = traced.run(mode, self.longest_unit);
            assert!(
                agree(&ordinary, &outcome),
                "{}: not the same\n--- ordinary\n{ordinary}\n--- {mode:?}, traced\n{outcome}",
                self.guest.name()
            );
        }
    }

    fn check_in(&self, runs: &[(Mode, u64)]) {
        if std::env::var_os("FLUX_TESTS_NATIVE_ONLY").is_some() {
            if self.native {
                let fine = |native: &Outcome| !["EARLY", "FAIL"].iter().any(|word| native.stdout.contains(word));
                let native = self.run_natively(fine);
                assert!(fine(&native) && native.stderr.is_empty(), "{native}");
            }
            return;
        }
        let flux: Vec<_> = runs.iter().map(|&(mode, unit)| (mode, unit, self.run(mode, unit))).collect();
        let (first_mode, first_unit, first) = &flux[0];
        if !self.native {
            first.assert_success();
        }
        let native = self.native.then(|| self.run_natively(|native| agree(native, first)));
        let expected = native.as_ref().unwrap_or(first);
        for (mode, unit, outcome) in &flux {
            assert!(
                agree(expected, outcome),
                "{}: not the same\n--- expected ({})\n{expected}\n--- {mode:?}, unit {unit} ms\n{outcome}",
                self.guest.name(),
                if self.native { "native".to_owned() } else { format!("{first_mode:?}, unit {first_unit} ms") },
            );
        }
    }

    /// The native run, repeated while it is not as expected: under flux there is no such thing as bad luck, natively there
    /// is. A guest may even hang when an event that it waits for has come too early.
    fn run_natively(&self, expected: impl Fn(&Outcome) -> bool) -> Outcome {
        let mut last = None;
        for factor in NATIVE_ATTEMPTS {
            let unit = NATIVE_UNIT_MS * factor;
            let least = self.least(unit);
            let outcome = match self.command(Mode::Native, unit).within(2 * least + NATIVE_DELAY).try_run() {
                Ok(outcome) => outcome,
                Err(late) => {
                    last = Some(Err(late));
                    continue;
                }
            };
            if expected(&outcome) {
                // Without the tool the waits are real, or the guest would prove nothing.
                assert!(outcome.took >= least, "natively it should have taken {least:?}: {outcome}");
                return outcome;
            }
            last = Some(Ok(outcome));
        }
        last.expect("at least one attempt").unwrap_or_else(|late| panic!("natively: {late}"))
    }
}

fn agree(a: &Outcome, b: &Outcome) -> bool {
    a.stdout == b.stdout && a.stderr == b.stderr && a.code() == b.code()
}
