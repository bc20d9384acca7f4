//! Programs that are executed after a change of user, user namespace or root stay in the session:
//! they could not open anything of the launcher's any more, and inherit what they need.

mod command;
mod elsewhere;
mod programs;

use command::{Scratch, compile};
use elsewhere::stays;

/// Sleeps by itself, in what it starts, and after its environment was cleared; and counts its
/// descriptors, among which there is nothing of ours.
const SLEEPS: &str = "sleep HOUR; (sleep HOUR; echo later) & wait; env -i sleep HOUR; ls /proc/self/fd | wc -l; id -u";

#[test]
fn another_user() {
    stays(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], SLEEPS);
}

#[test]
fn a_user_namespace() {
    stays(&["unshare", "--user", "--map-root-user"], SLEEPS);
}

#[test]
fn another_root() {
    stays(&["chroot", "/"], SLEEPS);
}

#[test]
fn traced_programs_and_what_they_start() {
    let script = "busybox sleep HOUR; busybox sh -c 'sleep HOUR; busybox sleep HOUR; bash -c \"sleep HOUR; id -u\"'";
    stays(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], script);
}

/// In traced programs as well.
const SLEEPS_TRACED: &str =
    "busybox sh -c 'sleep HOUR; busybox sleep HOUR; bash -c \"sleep HOUR\"'";

/// Gives up its privileges in the way that its first argument says, and executes the others.
const GIVES_UP: &str = r#"
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static void *waits(void *unused)
{
	pause();
	return unused;
}
int main(int argc, char **argv)
{
	pthread_t thread;
	int status = 0;
	if (argc < 3)
		return 98;
	if (!strcmp(argv[1], "user") &&
	    (pthread_create(&thread, 0, waits, 0) || setgroups(0, 0) || setgid(65534) || setuid(65534)))
		return 97;
	if (!strcmp(argv[1], "namespace") && unshare(CLONE_NEWUSER))
		return 96;
	if (!strcmp(argv[1], "root") && chroot("/"))
		return 95;
	if (!strcmp(argv[1], "child")) {
		pid_t child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
		if (child)
			return waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status);
	}
	execvp(argv[2], argv + 2);
	return 94;
}
"#;

#[test]
fn traced_programs_give_up_theirs() {
    let scratch = Scratch::new("gives-up");
    let program = compile(&scratch, &["-static", "-pthread"], GIVES_UP);
    let script = format!("{SLEEPS}; {SLEEPS_TRACED}");
    for how in ["user", "namespace", "root", "child"] {
        stays(&[&program, how], &script);
    }
    // A traced one executes a traced one.
    stays(&[&program, "user", "busybox", "env", "-i"], &script);
}

#[test]
fn go_programs_give_up_theirs() {
    let program = programs::go("other_user", false);
    stays(&[program.to_str().expect("UTF-8")], &format!("{SLEEPS}; {SLEEPS_TRACED}"));
}

#[test]
fn all_hear_of_each_other() {
    // A pipe and a signal between users: nobody jumps while the other is about to answer.
    let script = "mkfifo /tmp/flux-fifo.$$; chmod 666 /tmp/flux-fifo.$$; \\
        setpriv --reuid=65534 --clear-groups bash -c \"sleep HOUR; echo one; sleep HOUR; echo two\" > /tmp/flux-fifo.$$ & \\
        while read -r line; do echo \"got $line\"; done < /tmp/flux-fifo.$$; wait; rm /tmp/flux-fifo.$$";
    stays(&["env"], script);
}
