//! Where the tracer may not do what it usually does: without privileges, and where ptrace(2) is
//! refused.

mod command;

use command::*;
use flux_tests::{Guest, Mode, Run, artifacts, report};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// Executes its arguments, and nobody in there may trace.
const REFUSES: &str = r#"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 99;
	if (argc > 1)
		execvp(argv[1], argv + 1);
	return 98;
}
"#;

#[test]
fn refused_it_says_so_once_and_goes_on() {
    let scratch = Scratch::new("refused");
    let refuses = compile(&scratch, &[], REFUSES);
    let launcher = artifacts().launcher.to_str().expect("UTF-8");
    let script = "busybox sleep 0.2; sleep 86400; busybox sleep 0.2; busybox true; echo over";
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        let outcome =
            Run::new(&refuses).args([launcher, clock, "--", "sh", "-c", script]).within(REAL).run();
        assert_eq!((outcome.stdout.as_str(), outcome.code()), ("over\n", 0), "{outcome}");
        assert!(outcome.took >= Duration::from_millis(400), "{outcome}");
        let said: Vec<&str> = outcome.stderr.lines().collect();
        assert!(
            matches!(said[..], [line] if line.ends_with("statically linked programs run in real time")),
            "{outcome}"
        );
    }
}

#[test]
fn refused_a_wait_that_no_hook_sees_takes_real_time() {
    let scratch = Scratch::new("unseen");
    let refuses = compile(&scratch, &[], REFUSES);
    let launcher = artifacts().launcher.to_str().expect("UTF-8");
    let guest = Guest::new("unseen/lookup").compile();
    let run = |options: &[&str]| {
        let guest = guest.to_str().expect("UTF-8");
        Run::new(&refuses).args([&[launcher], options, &["--", guest]].concat()).within(REAL).run()
    };
    let (quiet, verbose) = (run(&[]), run(&["-v"]));
    assert!(
        quiet.stdout.starts_with("EAI_AGAIN, asked: 1\n") && quiet.stderr.is_empty(),
        "{quiet}"
    );
    assert!(quiet.took >= Duration::from_secs(1), "{quiet}");
    let said = verbose
        .stderr
        .lines()
        .filter(|line| line.ends_with("; waits that no hook sees take real time"))
        .count();
    assert_eq!(said, 1, "{verbose}");
}

#[test]
fn a_user_without_privileges() {
    // Otherwise all other tests are of a user without privileges.
    if report::not_root("") {
        return;
    }
    let scratch = Scratch::new("user");
    let open = |path: &str| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("our own file")
    };
    open(&scratch.file("."));
    let place = |from: &std::path::Path, name: &str| {
        let path = scratch.file(name);
        fs::copy(from, &path).expect("copied");
        open(&path);
        path
    };
    let launcher = place(&artifacts().launcher, "flux-launch");
    place(&artifacts().libflux, "libflux.so");
    let guest = Guest::new("unseen/waits").compile();
    let unseen = place(&guest, "waits");
    let expected =
        Run::new(&guest).env("GUEST_UNIT_MS", "3600000").mode(Mode::Elapsed).run().stdout;
    let script = "busybox sleep 86400; sleep 86400; busybox sh -c 'sleep 86400; busybox sleep 86400'; exec \"$0\"";
    for clock in ["--clock=elapsed", "--clock=frozen"] {
        let outcome = Run::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"])
            .args([&launcher, clock, "--", "sh", "-c", script, &unseen])
            .env("GUEST_UNIT_MS", "3600000")
            .within(REAL)
            .run();
        assert_eq!(
            (outcome.stdout.as_str(), outcome.stderr.as_str()),
            (expected.as_str(), ""),
            "{outcome}"
        );
    }
}
