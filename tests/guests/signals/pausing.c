/* Waits for any signal, by all their names; a signal that was pending is not missed. */
#include "guest.h"

/* Both are deprecated, and headers make one name of them. Musl has the first alone. */
#ifdef MUSL_H
int pause_xsi(int signal) __asm__("sigpause");
#else
int pause_xsi(int signal) __asm__("__xpg_sigpause");
int pause_bsd(int mask) __asm__("sigpause");
#endif

static pid_t target;
static volatile int caught;

static void handler(int number) { caught = number; }

static void *sends(void *unused)
{
	nap(1.3);
	kill(target, SIGUSR1);
	return unused;
}

#define PAUSED(what, call) \
	do { \
		caught = 0; \
		start(); \
		pthread_t t = thread(sends, NULL); \
		const char *result = RESULT(call); \
		say(what ": %s after %d, %s", result, after(1.3), caught == SIGUSR1 ? "caught" : "not caught"); \
		join(t); \
	} while (0)

int main(void)
{
	target = getpid();
	on_signal(SIGUSR1, handler, 0);
	sigset_t only, none, before;
	sigemptyset(&none);
	sigemptyset(&only);
	sigaddset(&only, SIGUSR1);
	/* Blocked in all threads: only the waits let it in. */
	pthread_sigmask(SIG_BLOCK, &only, &before);
	PAUSED("sigsuspend", sigsuspend(&none));
	PAUSED("sigpause of XSI", pause_xsi(SIGUSR1));
#ifndef MUSL_H
	PAUSED("sigpause of BSD", pause_bsd(0));
#endif
	sigset_t now;
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	say("blocked afterwards: %d", sigismember(&now, SIGUSR1));

	/* Pending before: at once. */
	caught = 0;
	kill(target, SIGUSR1);
	start();
	const char *result = RESULT(sigsuspend(&none));
	say("pending: %s after %d, %s", result, after(0), caught == SIGUSR1 ? "caught" : "not caught");

	/* A child's end is a signal too. */
	on_signal(SIGCHLD, handler, 0);
	start();
	pid_t child = fork();
	if (child == 0) {
		nap(1.3);
		_exit(0);
	}
	struct timespec long_time = as_timespec(units(5));
	result = RESULT(nanosleep(&long_time, NULL));
	say("SIGCHLD: %s after %d", result, after(1.3));
	reap(child);
	return 0;
}
