/* Cancellation of waits for children and signals, and of system(). */
#include "cancel/points.h"
#include <sys/resource.h>

static pid_t child;
static sigset_t set;
static volatile int ignored;

static void by_wait(void) { wait(NULL); }
static void by_waitpid(void) { waitpid(child, NULL, 0); }
static void by_waitid(void) { siginfo_t info; waitid(P_PID, child, &info, WEXITED); }
__attribute__((unused)) static void by_wait3(void) { wait3(NULL, 0, NULL); }
__attribute__((unused)) static void by_wait4(void) { struct rusage usage; wait4(child, NULL, 0, &usage); }
static void by_sigwait(void) { int number; sigwait(&set, &number); }
static void by_sigwaitinfo(void) { sigwaitinfo(&set, NULL); }
static void by_sigtimedwait(void) { struct timespec t = as_timespec(units(99)); sigtimedwait(&set, NULL, &t); }
/* The shell is killed when the caller is cancelled; exec, so that its sleep goes with it. */
__attribute__((unused)) static void by_system(void)
{
	char command[64];
	snprintf(command, sizeof command, "exec sleep %lld", (long long)(1 + unit_ms() * 99 / 1000));
	ignored = system(command);
}

int main(void)
{
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		pause();
		_exit(0);
	}
	struct point points[] = {
		{ "wait", by_wait, NULL },
		{ "waitpid", by_waitpid, NULL },
		{ "waitid", by_waitid, NULL },
/* There these two are no cancellation points. */
#ifndef MUSL_H
		{ "wait3", by_wait3, NULL },
		{ "wait4", by_wait4, NULL },
#endif
		{ "sigwait", by_sigwait, NULL },
		{ "sigwaitinfo", by_sigwaitinfo, NULL },
		{ "sigtimedwait", by_sigtimedwait, NULL },
/* There the command goes on without its caller. */
#ifndef MUSL_H
		{ "system", by_system, NULL },
#endif
	};
	TRY(points);
	/* The signal that nobody took any more is for the next one. */
	raise(SIGUSR1);
	int number = 0;
	sigwait(&set, &number);
	say("%s", sigabbrev_np(number));
	kill(child, SIGTERM);
	say("child %d", reap(child));
	say("no other: %s", RESULT(wait(NULL)));
	return 0;
}
