//! Clients and servers in different processes, on the loopback interface.

mod programs;

use flux_tests::{Mode, Outcome, Run, report};
use programs::{Scratch, path, python};
use std::net::TcpListener;
use std::time::Duration;

const REAL: Duration = Duration::from_secs(60);

/// A server that writes its port into a file, and a client that reads it there.
struct Pair {
    server: Vec<String>,
    client: Vec<String>,
    /// A unit under flux, in seconds.
    unit: f64,
}

impl Pair {
    /// Both from a shell script, which is the only way natively.
    fn by_script(&self, mode: Mode, unit: f64, slack: f64) -> Outcome {
        let scratch = Scratch::new();
        let port_file = scratch.file("port");
        let line = |command: &[String], last: String| {
            format!("{} {port_file} {unit}{last}", command.join(" "))
        };
        self.finish(Run::new("sh").mode(mode).args([
            path("shell/pair.sh"),
            port_file.clone(),
            line(&self.server, String::new()),
            line(&self.client, format!(" {slack}")),
        ]))
    }

    /// As two commands of one session: the client starts when the server has come to rest.
    fn by_two_commands(&self, clock: &str, unit: f64, slack: f64) -> Outcome {
        let scratch = Scratch::new();
        let port_file = scratch.file("port");
        let run = Run::launcher()
            .args([clock, "--many", "--"])
            .args(&self.server)
            .args([&port_file, &unit.to_string()])
            .arg("--")
            .args(&self.client)
            .args([port_file, unit.to_string(), slack.to_string()]);
        self.finish(run)
    }

    fn finish(&self, run: Run) -> Outcome {
        let outcome = run.env("PYTHONDONTWRITEBYTECODE", "1").within(REAL).run();
        outcome.assert_success();
        outcome
    }

    fn check(&self, native_unit: f64, native_units: f64) {
        let native = self.by_script(Mode::Native, native_unit, 10.0);
        let least = Duration::from_secs_f64(native_unit * native_units);
        assert!(native.took >= least, "{native}");
        if std::env::var_os("FLUX_TESTS_NATIVE_ONLY").is_some() {
            return;
        }
        for outcome in [
            self.by_script(Mode::Elapsed, self.unit, 20.0),
            self.by_script(Mode::Frozen, self.unit, 0.02),
            self.by_two_commands("--clock=elapsed", self.unit, 20.0),
            self.by_two_commands("--clock=frozen", self.unit, 0.02),
        ] {
            assert_eq!(outcome.stdout, native.stdout, "{outcome}");
        }
    }
}

#[test]
fn delayed_echo_server_and_its_tests() {
    let pair = Pair {
        server: vec![python(), path("python/echo_server.py")],
        client: vec![python(), path("python/echo_tests.py")],
        // The server looks around twice a second.
        unit: 600.0,
    };
    pair.check(0.3, 12.0);
}

#[test]
fn fifty_round_trips_with_a_nap_before_each_answer() {
    let pair = Pair {
        server: vec!["perl".into(), path("perl/round_trips_server.pl")],
        client: vec![python(), path("python/round_trips_client.py")],
        unit: 3600.0,
    };
    pair.check(0.04, 50.0);
}

/// A port that was free a moment ago; redis-server wants to be told one.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

fn redis(mode: Mode, unit: u32) -> Outcome {
    let scratch = Scratch::new();
    let outcome = Run::new("bash")
        .arg(path("shell/redis.sh"))
        .args([scratch.file(""), free_port().to_string(), unit.to_string()])
        .mode(mode)
        .within(REAL)
        .run();
    outcome.assert_success();
    outcome
}

#[test]
fn redis_forgets_keys_in_time() {
    // The script counts whole units by date(1), so on a busy machine a second natively may be too
    // short for it.
    let in_time = |run: &Outcome| {
        run.stdout.contains("after 3: alice") && run.stdout.contains("item after 7\n")
    };
    let natively = |unit| {
        let run = redis(Mode::Native, unit);
        if !in_time(&run) {
            report::retried_natively("redis", &run.stdout.replace('\n', "; "));
        }
        run
    };
    let native = (1..=3).map(natively).find(in_time).expect("one of three attempts is in time");
    assert!(native.took >= Duration::from_secs(7), "{native}");
    if std::env::var_os("FLUX_TESTS_NATIVE_ONLY").is_some() {
        return;
    }
    // The server wakes up ten times a second, so a longer unit would be about that and nothing
    // else.
    for (mode, unit) in [(Mode::Elapsed, 300), (Mode::Frozen, 60)] {
        let outcome = redis(mode, unit);
        assert_eq!(outcome.stdout, native.stdout, "{mode:?}: {outcome}");
    }
}
