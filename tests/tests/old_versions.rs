//! Names and versions of symbols that only programs have which were linked long ago. They cannot be
//! linked statically, so no matrix has them.

use flux_tests::{Guest, Mode, Run};

#[test]
fn loops_on_xstat_are_found_out() {
    for mode in [Mode::Elapsed, Mode::Frozen] {
        let run = Run::new(Guest::new("old_versions/stat").compile()).mode(mode);
        let outcome = run.env("GUEST_UNIT_MS", "60000").run();
        outcome.assert_success();
        assert!(outcome.stdout.lines().all(|line| line.ends_with(": in time")), "{outcome}");
        assert_eq!(outcome.stdout.lines().count(), 8, "{outcome}");
    }
}
