//! Named sessions: `--name` and `--join`.

mod command;

use command::*;
use flux_tests::{Outcome, Run, artifacts};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A folder for sockets, and a session that waits for a signal.
struct Named {
    scratch: Scratch,
    launcher: Child,
}

impl Named {
    /// Begins a session named `test`, and waits until one can join it.
    fn start(name: &str, options: &[&str]) -> Named {
        let scratch = Scratch::new(name);
        let launcher = Command::new(&artifacts().launcher)
            .args(options)
            .args(["--name=test", "--", "perl", "-e", FOR_EVER])
            .env("XDG_RUNTIME_DIR", folder(&scratch))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("flux-launch starts");
        let named = Named { scratch, launcher };
        let socket = folder(&named.scratch) + "/flux/test";
        while !Path::new(&socket).exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        named
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let run = Run::launcher().args(arguments).env("XDG_RUNTIME_DIR", folder(&self.scratch));
        run.within(REAL)
    }

    #[track_caller]
    fn join(&self, words: &[&str]) -> Outcome {
        self.run(&[&["--join", "test", "--"], words].concat()).run()
    }

    /// What joins sees this many seconds of the time of day.
    #[track_caller]
    fn seconds(&self) -> i64 {
        self.join(&["date", "+%s"]).assert_success().stdout.trim().parse().expect("a number")
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if self.launcher.try_wait().expect("our child").is_none() {
            signal(self.launcher.id(), libc::SIGTERM);
            let _ = self.launcher.wait();
        }
    }
}

/// Where the test's sessions are.
fn folder(scratch: &Scratch) -> String {
    scratch.file("")
}

#[test]
fn a_day_passes_for_the_session() {
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        let named = Named::start(&format!("join-day{clock}"), &[clock]);
        let start = named.seconds();
        named.join(&["sleep", "1d"]).assert_success();
        named.join(&["busybox", "sleep", "1d"]).assert_success();
        let passed = named.seconds() - start;
        assert!((2 * 86_400..2 * 86_400 + 60).contains(&passed), "{clock}: {passed}");
    }
}

#[test]
fn who_joins_is_as_if_he_had_been_started_here() {
    let named = Named::start("join-as", &[]);
    let script = "read line; echo \"$line $PWD $VALUE $0\"; echo err >&2; exit 7";
    let words = ["--join=test", "--", "bash", "-c", script, "zero"];
    let shell = format!(
        "cd /usr; echo hello | \"$0\" {}",
        words.map(|word| format!("'{}'", word.replace('\'', "'\\''"))).join(" ")
    );
    let outcome = Run::new("bash")
        .args(["-c", &shell])
        .arg(&artifacts().launcher)
        .env("XDG_RUNTIME_DIR", folder(&named.scratch))
        .env("VALUE", "given")
        .within(REAL)
        .run();
    assert_eq!(outcome.code(), 7, "{outcome}");
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("hello /usr given zero\n", "err\n"));
    assert_refused(&named.join(&["/no/such"]), 127, &["/no/such"]);
    assert_eq!(named.join(&["bash", "-c", "kill -9 $$"]).code(), 137);
}

#[test]
fn signals_reach_the_command() {
    let named = Named::start("join-signals", &[]);
    let script =
        "$SIG{TERM} = sub { print qq(told\n); exit 5 }; $| = 1; print qq(ready\n); sleep 1 while 1";
    let text = format!(
        "exec 3< <(exec \"$0\" --join=test -- perl -e '{script}'); read line <&3; echo $line; \
         kill -TERM $!; read line <&3; echo $line; wait $!; echo $?"
    );
    let outcome = Run::new("bash")
        .args(["-c", &text])
        .arg(&artifacts().launcher)
        .env("XDG_RUNTIME_DIR", folder(&named.scratch))
        .within(REAL)
        .run();
    assert_eq!(outcome.assert_success().stdout, "ready\ntold\n5\n", "{outcome}");
}

#[test]
fn the_session_waits_for_those_who_have_joined_and_keeps_its_status() {
    let mut named = Named::start("join-waits", &[]);
    let late = "sleep 1; exit 9";
    let mut guest = Command::new(&artifacts().launcher)
        .args(["--join=test", "--", "bash", "-c"])
        .arg(format!("kill -TERM $(pgrep -P $PPID perl); {late}"))
        .env("XDG_RUNTIME_DIR", folder(&named.scratch))
        .spawn()
        .expect("it starts");
    assert_eq!(guest.wait().expect("ended").code(), Some(9));
    assert_eq!(named.launcher.wait().expect("ended").code(), Some(128 + libc::SIGTERM));
}

#[test]
fn no_two_sessions_of_one_name() {
    let named = Named::start("join-twice", &[]);
    let second = named.run(&["--name=test", "--", "true"]).run();
    assert_refused(&second, 2, &["a session named test is running already"]);
    named.run(&["--name=other", "--", "true"]).run().assert_success();
}

#[test]
fn a_name_is_free_again_after_its_session() {
    let named = Named::start("join-again", &[]);
    for _ in 0..2 {
        named.run(&["--name=short", "--", "true"]).run().assert_success();
        let gone = named.run(&["--join=short", "--", "true"]).run();
        assert_refused(&gone, 2, &["no session is named short"]);
    }
}

#[test]
fn bad_names_are_refused() {
    for option in ["--name", "--join"] {
        for name in ["", "a/b", "..", "a.lock", &"x".repeat(81)] {
            let outcome = flux([&format!("{option}={name}"), "--", "true"]);
            assert_refused(&outcome, 2, &[option, "slash"]);
        }
    }
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let scratch = Scratch::new("join-open");
    let open = scratch.file("flux");
    std::fs::create_dir(&open).expect("a folder");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).expect("opened");
    for option in ["--name", "--join"] {
        let run = Run::launcher().args([option, "test", "--", "true"]);
        let outcome = run.env("XDG_RUNTIME_DIR", folder(&scratch)).within(REAL).run();
        let code = if option == "--name" { 2 } else { OWN_FAILURE };
        assert_refused(&outcome, code, &["not this user's alone"]);
    }
}
