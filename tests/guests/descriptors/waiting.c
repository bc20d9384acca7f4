/* wait, waitpid, waitid, wait3, wait4 for children that sleep; WNOHANG, WNOWAIT, and who there is to wait for. */
#include "guest.h"
#include <sys/resource.h>

static pid_t sleeping_child(double n, int code)
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(n);
		_exit(code);
	}
	return child;
}

int main(void)
{
	GUARDED(int) status;
	struct rusage usage;
	siginfo_t info;
	guard(&status);
	pid_t child = sleeping_child(1.3, 1), got = 0;
	REPORT(1, "wait", (got = wait(&status.value)) < 0);
	say("the child %d, exited %d, code %d, guards %d", got == child, WIFEXITED(status.value), WEXITSTATUS(status.value), guard_ok(&status));
	child = sleeping_child(1.3, 2);
	say("no hang: %s", RESULT(waitpid(child, &status.value, WNOHANG)));
	REPORT(1, "waitpid", (got = waitpid(child, &status.value, 0)) != child);
	say("code %d", WEXITSTATUS(status.value));
	child = sleeping_child(1.3, 3);
	REPORT(1, "waitpid, any", (got = waitpid(-1, &status.value, 0)) != child);
	child = sleeping_child(1.3, 3);
	REPORT(1, "waitpid, my group", (got = waitpid(0, &status.value, 0)) != child);
	child = sleeping_child(1.3, 4);
	REPORT(1, "wait3", (got = wait3(&status.value, 0, &usage)) != child);
	child = sleeping_child(1.3, 5);
	REPORT(1, "wait4", (got = wait4(child, &status.value, 0, &usage)) != child);
	say("code %d, used less than half a second %d", WEXITSTATUS(status.value), usage.ru_utime.tv_sec == 0 && usage.ru_utime.tv_usec < 500000);

	child = sleeping_child(1.3, 6);
	memset(&info, 0, sizeof info);
	MUST(waitid(P_PID, child, &info, WEXITED | WNOHANG) == 0);
	say("waitid, no hang: pid %d", info.si_pid);
	REPORT(1, "waitid, leave it", waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	say("the child %d, code %d, how %d", info.si_pid == child, info.si_status, info.si_code == CLD_EXITED);
	REPORT(0, "waitid, take it", waitid(P_ALL, 0, &info, WEXITED));
	say("the child %d", info.si_pid == child);

	/* In the order in which they end. */
	pid_t children[3] = { sleeping_child(3.3, 10), sleeping_child(1.3, 11), sleeping_child(2.3, 12) };
	start();
	for (int i = 0; i < 3; i++) {
		MUST(wait(&status.value) > 0);
		say("code %d after %d", WEXITSTATUS(status.value), after(i + 1));
	}
	(void)children;
	say("nobody left: %s", RESULT(wait(NULL)));
	say("not mine: %s", RESULT(waitpid(1, NULL, 0)));
	say("waitid, nobody: %s", RESULT(waitid(P_ALL, 0, &info, WEXITED)));
	say("waitid, nothing asked: %s", RESULT(waitid(P_ALL, 0, &info, 0)));
	say("odd options: %s", RESULT(waitpid(-1, NULL, 0x10000)));

	/* Ignored children disappear; the wait ends when there is none left. */
	signal(SIGCHLD, SIG_IGN);
	sleeping_child(1.3, 0);
	sleeping_child(2.3, 0);
	REPORT(2, "ignored", wait(NULL));
	return 0;
}
