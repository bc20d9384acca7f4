//! The region is written by all programs of a session, and so is not trusted: a program without
//! privileges gains nothing from one that has them, the launcher least of all.
//!
//! `programs/trust/attack.c` writes to the region what made the launcher act on strangers.

mod command;

use command::{Scratch, compile, flux};
use flux_tests::{Mode, Outcome, Run, artifacts, report, workspace_root};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The attacks compute for some seconds.
const LONG: Duration = Duration::from_secs(60);
const NOBODY: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// What an attack needs: the program, a copy of the library that every user can read, and a process
/// outside the session.
struct Stage {
    scratch: Scratch,
    attack: String,
    stranger: Child,
}

impl Stage {
    /// The stranger has a file open as descriptor 9.
    fn new(name: &str) -> Stage {
        let scratch = Scratch::new(name);
        let attack = compile(&scratch, &["-O1"], include_str!("../programs/trust/attack.c"));
        fs::copy(&artifacts().libflux, scratch.file("libflux.so")).expect("a copy of the library");
        let script = format!("exec 9>{}; exec sleep 600", scratch.file("strangers"));
        let stranger = Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).spawn();
        let stranger = stranger.expect("bash");
        let stage = Stage { scratch, attack, stranger };
        let began = Instant::now();
        while stage.about_stranger("comm").trim() != "sleep" {
            assert!(began.elapsed() < LONG, "the stranger does not start");
        }
        stage
    }

    fn about_stranger(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.stranger.id())).unwrap_or_default()
    }

    /// A user without privileges attacks the stranger in a session of root's.
    fn attacked(&self, how: &str, more: &[&str]) -> Outcome {
        let library = self.scratch.file("libflux.so");
        let library = library.strip_suffix("/libflux.so").expect("a folder").to_owned();
        let pid = self.stranger.id().to_string();
        Run::launcher()
            .args([format!("--libpath={library}").as_str(), "--"])
            .args(NOBODY)
            .args([&*self.attack, how, &pid])
            .args(more)
            .cwd("/")
            .within(LONG)
            .run()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.stranger.kill();
        let _ = self.stranger.wait();
    }
}

#[test]
fn the_launcher_writes_to_no_file_of_a_strangers() {
    if report::not_root("") {
        return;
    }
    let stage = Stage::new("ring");
    stage.attacked("ring", &["9"]).assert_success();
    assert_eq!(fs::read(stage.scratch.file("strangers")).expect("the file"), b"");
}

#[test]
fn the_launcher_kills_no_stranger() {
    if report::not_root("") {
        return;
    }
    let mut stage = Stage::new("signal");
    stage.attacked("signal", &[]).assert_success();
    assert!(stage.stranger.try_wait().expect("our child").is_none(), "it has been killed");
}

#[test]
fn the_tracer_seizes_no_stranger() {
    if report::not_root("") {
        return;
    }
    let mut stage = Stage::new("seize");
    // The tracer kills what it traces when it ends.
    stage.attacked("seize", &[]).assert_success();
    assert!(stage.stranger.try_wait().expect("our child").is_none(), "it has been killed");
    assert!(stage.about_stranger("status").contains("TracerPid:\t0\n"));
}

#[test]
fn nobody_takes_the_region_away() {
    let scratch = Scratch::new("shrink");
    let attack = compile(&scratch, &["-O1"], include_str!("../programs/trust/attack.c"));
    let outcome = flux(["--", &*attack, "shrink"]);
    assert_eq!(outcome.assert_success().stdout, "EPERM\n", "{outcome}");
}

/// Makes threads, one after the other and several at a time.
const THREADS: &str = r#"
#include <pthread.h>
#include <stdio.h>
static void *body(void *argument)
{
	return argument;
}
int main(void)
{
	for (int i = 0; i < 3000; i++) {
		pthread_t threads[4];
		for (long n = 0; n < 4; n++)
			if (pthread_create(&threads[n], 0, body, (void *)n))
				return 1;
		for (long n = 0; n < 4; n++) {
			void *result = 0;
			if (pthread_join(threads[n], &result) || result != (void *)n)
				return 2;
		}
	}
	printf("all joined\n");
	return 0;
}
"#;

#[test]
fn no_thread_begins_where_another_program_says() {
    let scratch = Scratch::new("poison");
    let folder = Scratch::new("poison-threads");
    let attack = compile(&scratch, &["-O1"], include_str!("../programs/trust/attack.c"));
    let threads = compile(&folder, &["-O1", "-pthread"], THREADS);
    let script = format!("{threads} & {attack} poison $!; wait $!");
    let outcome = Run::new("bash").args(["-c", &script]).mode(Mode::Elapsed).within(LONG).run();
    assert_eq!(outcome.assert_success().stdout, "all joined\n", "{outcome}");
}

/// A session that has this name in its environment is no session, and nothing waits for it.
#[track_caller]
fn no_session(name: &str) {
    let outcome = Run::launcher().args(["--", "sleep", "100000"]).env("FLUX_SESSION", name);
    outcome.within(LONG).run().assert_success();
    let alone = Run::new("true").env("LD_PRELOAD", &artifacts().libflux).env("FLUX_SESSION", name);
    alone.within(LONG).run().assert_success();
}

#[test]
fn a_fifo_in_the_place_of_the_region_holds_nobody_up() {
    let scratch = Scratch::new("fifo");
    let fifo = scratch.file("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo");
    assert!(made.success());
    no_session(&fifo);
    no_session(&format!("{fifo}:0123456789abcdef"));
}

#[test]
fn a_name_with_another_id_joins_nobody() {
    // The outer session lives while the inner program asks for it by a wrong name: natively, by the
    // launcher of its own that it gets then.
    let launcher = artifacts().launcher.display().to_string();
    let script = format!(
        "path=${{FLUX_SESSION%%:*}}; env -u LD_PRELOAD busybox env \
         FLUX_SESSION=$path:0123456789abcdef {launcher} -v -- true"
    );
    let outcome = flux(["--trace=none", "--", "bash", "-c", &script]);
    outcome.assert_success();
    assert!(outcome.stderr.contains("virtual"), "it has joined: {outcome}");
}

/// A short run of `stress/fuzz.py`, which says what it looks for.
#[test]
fn random_bytes_in_the_region_harm_nobody_outside() {
    let script = workspace_root().join("tests/stress/fuzz.py");
    let outcome = Run::new("python3").arg(script).arg("10").within(Duration::from_secs(300)).run();
    if outcome.stderr.contains("Operation not permitted") {
        report::not_root("");
        return;
    }
    assert_eq!(outcome.code(), 0, "{outcome}");
}
