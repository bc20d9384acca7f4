//! The programs in `c-examples/`: each compiles without a warning and keeps its promise, in both
//! clock modes; without flux-launch the same program would still wait. Those that begin with
//! `idle_` are about libidle.so.

use flux_tests::{Mode, Run, artifacts, target_dir, workspace_root};
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Hours and years of waiting must be over in this much real time.
const REAL: Duration = Duration::from_secs(60);
/// The same program natively is still waiting after this.
const PATIENCE: Duration = Duration::from_millis(300);

/// Programs that need no argument, and what they print.
const ALONE: &[(&str, &str)] = &[
    (
        "children",
        "child 1 ended after 3 h\nchild 3 ended after 7 h\nchild 0 ended after 12 h\nchild 2 ended after 30 h\n",
    ),
    (
        "clocks_agree",
        "CLOCK_REALTIME: 365 days\nCLOCK_REALTIME_COARSE: 365 days\nCLOCK_MONOTONIC: 365 days\n\
         CLOCK_MONOTONIC_RAW: 365 days\nCLOCK_BOOTTIME: 365 days\nCLOCK_TAI: 365 days\nCPU time: 0 days\n\
         gettimeofday: 365 days\ntime: 365 days\n",
    ),
    (
        "condition_timeout",
        "not yet after 90 min, not before the deadline\nnot yet after 180 min, not before the deadline\n\
         done after 240 min, before the deadline\n",
    ),
    (
        "day_of_retries",
        "attempt 1: no answer after 0 min, next in 1 min\nattempt 2: no answer after 1 min, next in 2 min\n\
         attempt 3: no answer after 3 min, next in 4 min\nattempt 4: no answer after 7 min, next in 8 min\n\
         attempt 5: no answer after 15 min, next in 16 min\nattempt 6: no answer after 31 min, next in 32 min\n\
         attempt 7: no answer after 63 min, next in 64 min\nattempt 8: no answer after 127 min, next in 128 min\n\
         attempt 9: no answer after 255 min, next in 256 min\nattempt 10: no answer after 511 min, next in 512 min\n\
         connected after 17 h\n",
    ),
    ("interrupted_sleep", "Interrupted system call, 1380 min left\nslept\n"),
    ("sleep_sort", "1\n3\n7\n99\n500\n40000\n86400\n123213\n"),
    (
        "timeout_poll",
        "poll: 0 ready after 55 min, 1 ready after 60 min\nselect: 0 ready after 55 min, 1 ready after 60 min\n\
         epoll_wait: 0 ready after 55 min, 1 ready after 60 min\n",
    ),
];

/// Programs that the tests below run.
const TOGETHER: &[&str] =
    &["echo_client", "echo_server", "idle_client", "idle_driver", "idle_server"];
/// Programs that ask by flux.h, and what they print in a session.
const ASKING: &[(&str, &str)] = &[
    (
        "held_clock",
        "an hour: 3600.0 s, at once\nwith a hold: 0.4 s, waited\nan hour after it: 3600.0 s, at once\n",
    ),
    ("at_rest", "at rest: step 1, 0 min\nat rest: step 2, 60 min\n"),
];

/// Compiles an example, with warnings as errors: under a name of its own, then renamed, since
/// another test may be running the same one.
fn compile(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = target_dir().join("examples");
    fs::create_dir_all(&folder).expect("a folder for compiled examples");
    let program =
        folder.join(format!("{name}.{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed)));
    let output = Command::new("gcc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-Ilibidle/include"])
        .args(["-Ilibflux/include", "-o"])
        .arg(&program)
        .current_dir(workspace_root())
        .arg(workspace_root().join("c-examples").join(name).with_extension("c"))
        .output()
        .expect("gcc starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let named = folder.join(name);
    fs::rename(&program, &named).expect("the compiled example gets its name");
    named
}

fn still_waiting_natively(run: &Run, name: &str) {
    let native = run.clone().mode(Mode::Native).within(PATIENCE).try_run();
    assert!(native.is_err(), "{name} does not wait without flux-launch");
}

#[test]
fn programs_alone_keep_their_promises() {
    for &(name, expected) in ALONE {
        let run = Run::new(compile(name)).within(REAL);
        still_waiting_natively(&run, name);
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let outcome = run.clone().mode(mode).run();
            assert_eq!(outcome.assert_success().stdout, expected, "{mode:?}: {outcome}");
        }
    }
}

#[test]
fn programs_that_ask_are_told() {
    for &(name, expected) in ASKING {
        let run = Run::new(compile(name)).within(REAL);
        assert!(!run.clone().mode(Mode::Native).run().status.success(), "{name} needs a session");
        for mode in [Mode::Elapsed, Mode::Frozen] {
            let outcome = run.clone().mode(mode).run();
            assert_eq!(outcome.assert_success().stdout, expected, "{mode:?}: {outcome}");
        }
    }
}

#[test]
fn client_and_server_keep_their_promise() {
    let (server, client) = (compile("echo_server"), compile("echo_client"));
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port().to_string();
        drop(listener);
        let run = Run::launcher()
            .args([clock, "--many", "--"])
            .arg(&server)
            .args([&port, "--"])
            .arg(&client)
            .arg(&port);
        let outcome = run.within(REAL).run();
        let expected: String = (1..=3)
            .map(|i| format!("line {i}: no answer after 10 min\nline {i}: answered after 15 min\n"))
            .collect();
        assert_eq!(outcome.assert_success().stdout, expected, "{clock}: {outcome}");
    }
}

#[test]
fn driver_waits_for_rest() {
    let [driver, server, client] = ["idle_driver", "idle_server", "idle_client"].map(compile);
    let outcome =
        Run::new(driver).arg(&artifacts().libidle).args([&server, &client]).within(REAL).run();
    let expected = "a request in four pieces: busy once\nthree questions: busy from the first to the last answer\n";
    assert_eq!(outcome.assert_success().stdout, expected, "{outcome}");
    // Without the library nobody holds a lock or writes a number.
    let native = Run::new(compile("idle_driver")).args([
        "",
        &server.to_string_lossy(),
        &client.to_string_lossy(),
    ]);
    assert!(native.within(PATIENCE).try_run().is_err(), "it does not need libidle.so");
}

#[test]
fn same_differences_in_every_frozen_run() {
    // Nanoseconds: one process sleeps, the others are started and collected meanwhile.
    // The last sleep ends a slack after its deadline.
    let script = r#"s=$(date +%s%N); "$0" >/dev/null; echo $(($(date +%s%N) - s))"#;
    let run = Run::new("bash")
        .args(["-c", script])
        .arg(compile("sleep_sort"))
        .mode(Mode::Frozen)
        .within(REAL);
    let first = run.run();
    assert_eq!(first.assert_success().stdout, format!("{}\n", 123_213_000_001_000u64), "{first}");
    assert_eq!(run.run().stdout, first.stdout);
}

#[test]
fn every_example_is_run() {
    artifacts();
    let mut listed: Vec<&str> =
        ALONE.iter().chain(ASKING).map(|&(name, _)| name).chain(TOGETHER.iter().copied()).collect();
    let mut present: Vec<String> = fs::read_dir(workspace_root().join("c-examples"))
        .expect("the examples")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    listed.sort_unstable();
    present.sort();
    assert_eq!(listed, present, "left: what is tested; right: the files in c-examples");
}
