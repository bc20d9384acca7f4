/* A child that asks its parent to trace it, and one that is seized while it sleeps: a stop by a tracer takes no time from a sleep,
 * and adds none. */
#include "guest.h"
#include <sys/ptrace.h>

static const char *of(int status)
{
	return WIFSTOPPED(status) ? sigabbrev_np(WSTOPSIG(status)) : WIFEXITED(status) ? "its exit" : "another end";
}

int main(void)
{
	int status;
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		start();
		say("asks: %s", RESULT(ptrace(PTRACE_TRACEME, 0, 0, 0)));
		raise(SIGUSR1);
		nap(2);
		_exit(after(2));
	}
	MUST(waitpid(child, &status, 0) == child);
	say("stopped by %s", of(status));
	/* Without the signal, which would end it. */
	say("goes on: %s", RESULT(ptrace(PTRACE_CONT, child, 0, 0)));
	MUST(waitpid(child, &status, 0) == child);
	say("stopped by %s, %d after %d", of(status), WIFEXITED(status) ? WEXITSTATUS(status) : -1, after(2));

	start();
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		start();
		nap(3);
		_exit(after(3));
	}
	nap(1);
	say("seized: %s", RESULT(ptrace(PTRACE_SEIZE, child, 0, 0)));
	say("once more: %s", RESULT(ptrace(PTRACE_SEIZE, child, 0, 0)));
	say("interrupted: %s", RESULT(ptrace(PTRACE_INTERRUPT, child, 0, 0)));
	MUST(waitpid(child, &status, 0) == child);
	say("stopped by %s", of(status));
	say("let go: %s", RESULT(ptrace(PTRACE_DETACH, child, 0, 0)));
	say("nobody is there: %s", RESULT(ptrace(PTRACE_ATTACH, -1, 0, 0)));
	int code = reap(child);
	say("exit code %d after %d", code, after(3));
	return 0;
}
