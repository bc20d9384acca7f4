/* A timer of a nanosecond is due again at once, always: who sleeps beside it wakes in time, and its signal is there for
 * whoever looks. */
#include "guest.h"

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	struct itimerspec every = { { 0, 1 }, as_timespec(units(1)) }, never = { { 0, 0 }, { 0, 0 } };
	struct timespec later = as_timespec(units(1) + 75);
	start();
	MUST(timer_settime(timer, 0, &every, NULL) == 0);
	MUST(nanosleep(&later, NULL) == 0);
	say("slept for %d", after(1));
	say("signal %d", sigtimedwait(&set, NULL, &later) == SIGUSR1);
	/* A signal that is pending stays so until somebody takes it. */
	const struct timespec moment = { 0, 2 }, none = { 0, 0 };
	int taken = 0;
	for (int i = 0; i < 500; i++) {
		sigset_t pending;
		do {
			MUST(nanosleep(&moment, NULL) == 0 && sigpending(&pending) == 0);
		} while (!sigismember(&pending, SIGUSR1));
		taken += sigtimedwait(&set, NULL, &none) == SIGUSR1;
	}
	say("pending and taken %d times", taken);
	MUST(timer_settime(timer, 0, &never, NULL) == 0);
	start();
	later = as_timespec(units(1));
	MUST(nanosleep(&later, NULL) == 0);
	say("slept for %d", after(1));
	return 0;
}
