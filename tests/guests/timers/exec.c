/* exec(2): alarms survive, timers of timer_create do not, timerfds do unless they close on exec. */
#include "guest.h"
#include <sys/timerfd.h>

static void sleeps(int number)
{
	(void)number;
	nap(1);
}

static int after_exec(char **argv)
{
	if (strcmp(argv[1], "nothing") == 0) {
		nap(1);
		say("alarm: %d", alarm(0) != 0);
		return 0;
	}
	if (strcmp(argv[1], "alarm") == 0) {
		int64_t began = atoll(argv[2]), due = began + units(2.5);
		struct itimerval now;
		MUST(getitimer(ITIMER_REAL, &now) == 0);
		say("still set: %d, interval %d", now.it_value.tv_sec != 0 || now.it_value.tv_usec != 0,
		    (int)((now.it_interval.tv_sec * SECOND + now.it_interval.tv_usec * 1000) / units(1)));
		sigset_t only;
		sigemptyset(&only);
		sigaddset(&only, SIGALRM);
		int number;
		for (int i = 0; i < 3; i++) {
			MUST(sigwait(&only, &number) == 0);
			int64_t at = now_on(CLOCK_MONOTONIC);
			if (at < due)
				say("EARLY by %lld ns", (long long)(due - at));
			say("SIGALRM after %d", (int)((at - began) / units(1)));
			due += units(2);
		}
		return 0;
	}
	int kept = atoi(argv[2]), closed = atoi(argv[3]);
	struct itimerspec now;
	say("closed on exec: %s", RESULT(timerfd_gettime(closed, &now)));
	const char *told = RESULT(timerfd_gettime(kept, &now));
	say("kept: %s, interval %d", told, (int)(ns_of(now.it_interval) / units(1)));
	uint64_t count = 0;
	REPORT(1, "read", read(kept, &count, 8));
	say("count %d", (int)count);
	nap(2.6);
	MUST(read(kept, &count, 8) == 8);
	say("count %d", (int)count);
	sigset_t pending;
	sigpending(&pending);
	say("timer of timer_create: pending %d", sigismember(&pending, SIGUSR1));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return after_exec(argv);
	sigset_t both;
	sigemptyset(&both);
	sigaddset(&both, SIGALRM);
	sigaddset(&both, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
	pid_t child = fork();
	if (child == 0) {
		char text[32];
		snprintf(text, sizeof text, "%lld", (long long)now_on(CLOCK_MONOTONIC));
		struct itimerval new = { as_timeval(units(2)), as_timeval(units(2.5)) };
		MUST(setitimer(ITIMER_REAL, &new, NULL) == 0);
		execl("/proc/self/exe", "exec", "alarm", text, NULL);
		MUST(false);
	}
	say("status %d", reap(child));
	child = fork();
	if (child == 0) {
		timer_t timer;
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
		struct itimerspec new = { as_timespec(units(1)), as_timespec(units(1.5)) };
		MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &new, NULL) == 0);
		int kept = timerfd_create(CLOCK_MONOTONIC, 0), closed = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
		MUST(timerfd_settime(kept, 0, &new, NULL) == 0 && timerfd_settime(closed, 0, &new, NULL) == 0);
		char texts[2][16];
		snprintf(texts[0], 16, "%d", kept);
		snprintf(texts[1], 16, "%d", closed);
		execl("/proc/self/exe", "exec", "timerfd", texts[0], texts[1], NULL);
		MUST(false);
	}
	say("status %d", reap(child));

	/* Who had a sleep interrupted, and then executes, has no alarm of it. */
	child = fork();
	if (child == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGALRM, sleeps);
		struct itimerval once = { as_timeval(0), as_timeval(units(1)) };
		MUST(setitimer(ITIMER_REAL, &once, NULL) == 0);
		struct timespec four = as_timespec(units(4));
		MUST(nanosleep(&four, NULL) == -1 && errno == EINTR);
		execl("/proc/self/exe", "exec", "nothing", NULL);
		MUST(false);
	}
	say("status %d", reap(child));

	/* An exec that fails changes nothing. */
	struct itimerval new = { as_timeval(0), as_timeval(units(1.5)) };
	start();
	MUST(setitimer(ITIMER_REAL, &new, NULL) == 0);
	say("exec: %s", RESULT(execl("/does/not/exist", "exec", NULL)));
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGALRM);
	report(1.5, "SIGALRM", RESULT(sigwaitinfo(&only, NULL) == SIGALRM));
	/* A spawned child has no alarm. */
	MUST(setitimer(ITIMER_REAL, &new, NULL) == 0);
	say("child: %d", system("trap 'exit 7' ALRM; exit 5") >> 8);
	say("still mine: %d", sigwaitinfo(&only, NULL) == SIGALRM);
	return 0;
}
