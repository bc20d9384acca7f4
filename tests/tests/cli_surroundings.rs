//! Where flux-launch is run: folders with odd names, limits, no /proc, frozen control groups.

mod command;

use command::*;
use flux_tests::{Run, artifacts, report};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Virtual hours, then the status: a session that works.
const WORKS: &str = "date +%s; sleep 7200; date +%s";

#[track_caller]
fn assert_works(outcome: &flux_tests::Outcome) {
    let times: Vec<u64> = outcome.stdout.lines().flat_map(str::parse).collect();
    let [before, after] = times[..] else { panic!("{outcome}") };
    assert!((7200..7300).contains(&(after - before)), "{outcome}");
    assert_eq!((outcome.stderr.as_str(), outcome.code()), ("", 0), "{outcome}");
}

/// A shell's line, in which `$0` is flux-launch.
#[track_caller]
fn shell(script: &str) -> flux_tests::Outcome {
    Run::new("bash").args(["-c", script]).arg(&artifacts().launcher).within(REAL).run()
}

#[test]
fn folders_with_odd_names() {
    let scratch = Scratch::new("folders");
    for name in ["a b", "a:b", "a$ORIGIN", "a${LIB}b", " ", "a\nb", "\u{e4}"] {
        let folder = scratch.file(name);
        fs::create_dir_all(&folder).expect("a folder");
        let launcher = format!("{folder}/flux-launch");
        fs::copy(&artifacts().launcher, &launcher).expect("copied");
        fs::copy(&artifacts().libflux, format!("{folder}/libflux.so")).expect("copied");
        assert_works(&Run::new(&launcher).args(["sh", "-c", WORKS]).within(REAL).run());
        let libpath = format!("--libpath={folder}");
        assert_works(&flux([&libpath, "env", "-i", "sh", "-c", WORKS]));
        // A link that somebody made does as well.
        let link = scratch.file("link");
        std::os::unix::fs::symlink(&folder, &link).expect("a link");
        let listed = flux([&format!("--libpath={link}"), "printenv", "LD_PRELOAD"]);
        let name_is_plain = !name.contains([' ', ':', '$']);
        assert_eq!(listed.stdout.contains(&link), !name_is_plain, "{listed}");
        fs::remove_file(&link).expect("ours");
    }
    let odd = format!("--libpath={}", scratch.file("a b"));
    let path = flux([&odd, "printenv", "LD_PRELOAD"]).stdout;
    assert!(!Path::new(path.trim()).parent().expect("a folder").exists(), "{path} is left");
    // With TMPDIR, too, such a folder: another one is found.
    let run = Run::launcher().args([&odd, "sh", "-c", WORKS]).env("TMPDIR", scratch.file("a b"));
    assert_works(&run.within(REAL).run());
}

#[test]
fn few_processes() {
    // Root is not bound by it, nor is whoever may not change the user.
    if !running_as_root() {
        return;
    }
    let scratch = Scratch::new("processes");
    let state = scratch.file("state");
    fs::write(&state, "").expect("written");
    let copy = scratch.file("flux-launch");
    fs::copy(&artifacts().launcher, &copy).expect("copied");
    fs::copy(&artifacts().libflux, scratch.file("libflux.so")).expect("copied");
    // A user of whom nobody else has processes.
    let user = "setpriv --reuid=54321 --regid=54321 --clear-groups bash -c";
    for (limit, command, words) in [
        (1, "-- sleep 5".to_owned(), "cannot start the keeper: "),
        (2, "-- sleep 5".to_owned(), "cannot start sleep: "),
        (1, format!("--wait-idle {state}"), "cannot start a thread: "),
    ] {
        let script = format!("{user} 'ulimit -u {limit}; exec {copy} {command}'");
        let outcome = Run::new("bash").args(["-c", &script]).within(REAL).run();
        assert_refused(&outcome, OWN_FAILURE, &[words, "ulimit -u"]);
    }
}

#[test]
fn little_of_everything() {
    // It works, or it is one line and status 125; below that, ld.so's own line and 127.
    let limits = (3..16).map(|n| format!("-n {n}"));
    let limits = limits.chain((4000..60000).step_by(2000).map(|n| format!("-v {n}")));
    for limit in limits {
        let outcome = shell(&format!("ulimit {limit}; exec \"$0\" -- sh -c '{WORKS}'"));
        match outcome.code() {
            // The linker's, for flux-launch itself or for the shell.
            127 => assert!(outcome.stderr.contains("shared librar"), "{limit}: {outcome}"),
            OWN_FAILURE => assert_refused(&outcome, OWN_FAILURE, &["cannot "]),
            // The shell that ran out of something says so itself.
            0 => assert_works(&outcome),
            _ => assert!(!outcome.stderr.contains("flux-launch"), "{limit}: {outcome}"),
        }
    }
}

#[test]
fn full_disk() {
    let outcome = flux(["-v", "--output=/dev/full", "--", "sh", "-c", "exit 3"]);
    assert_eq!((outcome.code(), outcome.stderr.lines().count()), (3, 2), "{outcome}");
    assert!(outcome.stderr.contains("--output's file: No space left on device;"), "{outcome}");
    for option in ["--help", "--version"] {
        let outcome = shell(&format!("\"$0\" {option} >/dev/full"));
        assert_refused(&outcome, OWN_FAILURE, &["cannot write to standard output"]);
    }
}

#[test]
fn no_proc_or_anothers() {
    let probe = Command::new("unshare").args(["-mpf", "umount", "-l", "/proc"]).output();
    let probe = probe.expect("unshare is a part of util-linux");
    if !probe.status.success() {
        report::not_allowed("unshare -mpf umount -l /proc", &probe);
        return;
    }
    let library = artifacts().dir.display();
    for script in [
        "unshare -m sh -c 'umount -l /proc; exec $1 -- true' sh \"$0\"".to_owned(),
        format!("unshare -m sh -c 'umount -l /proc; exec $1 --libpath={library} true' sh \"$0\""),
        "unshare -pf \"$0\" -- true".to_owned(),
    ] {
        assert_refused(&shell(&script), OWN_FAILURE, &["/proc"]);
    }
    assert_works(&shell(&format!("unshare -pf --mount-proc \"$0\" -- sh -c '{WORKS}'")));
}

/// A control group of the test's own, which is thawed and removed.
struct Cgroup {
    folder: String,
    file: &'static str,
    words: [&'static str; 2],
}

impl Cgroup {
    fn new(mount: &str, file: &'static str, words: [&'static str; 2]) -> Option<Cgroup> {
        Path::new(mount).join("cgroup.procs").exists().then_some(())?;
        let folder = format!("{mount}/flux-test-{}", std::process::id());
        fs::create_dir(&folder).ok()?;
        let made = Cgroup { folder, file, words };
        fs::write(made.state(), words[1]).is_ok().then_some(made)
    }

    fn state(&self) -> String {
        format!("{}/{}", self.folder, self.file)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::write(self.state(), self.words[1]);
        let _ = fs::remove_dir(&self.folder);
    }
}

#[test]
fn frozen_control_groups() {
    let kinds = [
        ("/sys/fs/cgroup", "cgroup.freeze", ["1", "0"]),
        ("/sys/fs/cgroup/unified", "cgroup.freeze", ["1", "0"]),
        ("/sys/fs/cgroup/freezer", "freezer.state", ["FROZEN", "THAWED"]),
    ];
    let kinds = kinds.map(|(mount, file, words)| Cgroup::new(mount, file, words));
    if kinds.iter().all(Option::is_none) {
        println!("no cgroup can be made here: nothing tested");
        return;
    }
    for cgroup in kinds.into_iter().flatten() {
        // It computes, it sleeps, and it waits for nobody's bytes.
        for does in ["while :; do :; done", "exec sleep 90", "exec cat <&3"] {
            let script = format!(
                "exec 3<>$1; (echo $BASHPID >{0}/cgroup.procs; {does}) & p=$!; \
                 until grep -q $p {0}/cgroup.procs; do sleep 0.001; done; sleep 0.01; \
                 echo {1} >{2}; {WORKS}; echo {3} >{2}; kill $p 2>&-; wait $p; exit 0",
                cgroup.folder,
                cgroup.words[0],
                cgroup.state(),
                cgroup.words[1]
            );
            let scratch = Scratch::new("cgroup");
            let fifo = scratch.file("fifo");
            assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
            assert_works(&flux(["--", "bash", "-c", &script, "bash", &fifo]));
        }
    }
}

#[test]
fn libfaketime_shifts_what_the_session_says() {
    if !Path::new("/usr/bin/faketime").exists() {
        println!("faketime is not installed: nothing tested");
        return;
    }
    // Around the session and inside, the day is another one, and two hours are two hours.
    let within = |script: &str, clock: &str| {
        let line = script.replace("FLUX", &format!("\"$0\" --clock={clock} --"));
        let outcome = shell(&line);
        let times: Vec<i64> = outcome.stdout.lines().flat_map(str::parse).collect();
        let [outside, before, after] = times[..] else { panic!("{line}: {outcome}") };
        let day = before - outside;
        assert!((86_400..86_440).contains(&day), "{line}: {day} s later: {outcome}");
        assert!((7200..7240).contains(&(after - before)), "{line}: {outcome}");
        assert_eq!(outcome.stderr, "", "{line}");
    };
    for clock in ["elapsed", "frozen"] {
        within(&format!("date +%s; faketime -f +1d FLUX sh -c '{WORKS}'"), clock);
        within(&format!("date +%s; FLUX faketime -f +1d sh -c '{WORKS}'"), clock);
        within(&format!("date +%s; FLUX sh -c 'faketime -f +1d sh -c \"{WORKS}\"'"), clock);
    }
}
