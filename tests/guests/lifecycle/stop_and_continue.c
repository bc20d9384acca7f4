/* SIGSTOP and SIGCONT for a child that sleeps: reported by waitpid, and its sleep is not longer for it. */
#include "guest.h"

int main(void)
{
	int status;
	siginfo_t info;
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		start();
		nap(5);
		int elapsed = after(5);
		say("child: after %d", elapsed);
		_exit(elapsed);
	}
	nap(1);
	MUST(kill(child, SIGSTOP) == 0);
	MUST(waitpid(child, &status, WUNTRACED) == child);
	say("stopped %d by %s after %d", WIFSTOPPED(status), sigabbrev_np(WSTOPSIG(status)), after(1));
	nap(1);
	say("still there: %s", RESULT(waitpid(child, &status, WNOHANG)));
	MUST(kill(child, SIGCONT) == 0);
	MUST(waitpid(child, &status, WCONTINUED) == child);
	say("continued %d after %d", WIFCONTINUED(status), after(2));
	say("exit code %d", reap(child));
	say("after %d", after(5));

	/* Stopped beyond the end of its sleep: it goes on when it is continued. */
	start();
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		start();
		nap(2);
		_exit(after(2));
	}
	nap(1);
	MUST(kill(child, SIGSTOP) == 0);
	MUST(waitid(P_PID, child, &info, WSTOPPED) == 0);
	say("stopped %d", info.si_code == CLD_STOPPED);
	nap(3.3);
	MUST(kill(child, SIGCONT) == 0);
	say("exit code %d", reap(child));
	say("after %d", after(4));

	/* One that stops itself, and one that is killed while it is stopped. */
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(1);
		raise(SIGSTOP);
		nap(1);
		_exit(3);
	}
	start();
	MUST(waitpid(child, &status, WUNTRACED) == child);
	say("stopped itself %d", WIFSTOPPED(status));
	nap(1);
	kill(child, SIGCONT);
	nap(0.5);
	kill(child, SIGSTOP);
	nap(1);
	kill(child, SIGKILL);
	say("killed: %d", reap(child));
	return 0;
}
