/* Children that are collected by each call, one after the other; one that is only stopped, or looked at, lives on. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/wait.h>

static pid_t make(int code, double sleeps)
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		if (sleeps > 0)
			nap(sleeps);
		_exit(code);
	}
	return child;
}

static pid_t collect(int how, pid_t child, int *status)
{
	struct rusage usage;
	siginfo_t info;
	switch (how) {
	case 0: return wait(status);
	case 1: return waitpid(child, status, 0);
	case 2: return wait3(status, 0, &usage);
	case 3: return wait4(child, status, 0, &usage);
	case 4: return waitpid(-1, NULL, 0);
	default:
		MUST(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
		MUST(waitid(P_PID, child, &info, WEXITED) == 0);
		*status = info.si_status << 8;
		return info.si_pid;
	}
}

int main(void)
{
	for (int how = 0; how < 6; how++) {
		int wrong = 0;
		for (int i = 0; i < 50; i++) {
			int code = how == 4 ? 0 : i + 1, status = 0;
			pid_t child = make(code, 0);
			wrong += collect(how, child, &status) != child || WEXITSTATUS(status) != code;
		}
		start();
		nap(1);
		say("%d: wrong %d, slept %d", how, wrong, after(1));
	}

	/* Stopped and continued: its sleep counts. */
	start();
	pid_t child = make(9, 3);
	nap(1);
	int status;
	kill(child, SIGSTOP);
	MUST(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
	kill(child, SIGCONT);
	MUST(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
	MUST(waitpid(child, &status, 0) == child);
	say("child %d after %d", WEXITSTATUS(status), after(3));

	/* Many live at once. */
	start();
	pid_t all[20];
	for (int i = 0; i < 20; i++)
		all[i] = make(1, 5);
	int ended = 0;
	for (int i = 0; i < 20; i++)
		ended += waitpid(all[i], NULL, 0) == all[i];
	say("ended %d", ended);
	return 0;
}
