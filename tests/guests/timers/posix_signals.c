/* timer_create(2) with signals: when they come, and what siginfo_t says. */
#include "guest.h"
#include <sys/syscall.h>

static timer_t make(clockid_t clock, int notify, int number, int value, pid_t tid)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = number, .sigev_value.sival_int = value };
	event.sigev_notify_thread_id = tid;
	MUST(timer_create(clock, &event, &timer) == 0);
	return timer;
}

static void set(timer_t timer, double value, double interval)
{
	struct itimerspec new = { as_timespec(units(interval)), as_timespec(units(value)) };
	MUST(timer_settime(timer, 0, &new, NULL) == 0);
}

static void await(const char *what, const sigset_t *set, double asked, timer_t timer)
{
	siginfo_t info;
	memset(&info, 0, sizeof info);
	int got = sigwaitinfo(set, &info);
	int elapsed = after(asked);
	say("%s: signal %d code %d value %d overrun %d, its own %d, getoverrun %d, after %d", what, got - SIGRTMIN,
	    info.si_code == SI_TIMER, info.si_value.sival_int, info.si_overrun, info.si_timerid == (int)(intptr_t)timer,
	    timer_getoverrun(timer), elapsed);
}

static void *other(void *out)
{
	sigset_t all;
	sigfillset(&all);
	*(pid_t *)out = (pid_t)syscall(SYS_gettid);
	for (int i = 0; i < 2; i++) {
		siginfo_t info;
		int got = sigwaitinfo(&all, &info);
		say("thread: signal %d value %d", got - SIGRTMIN, info.si_value.sival_int);
	}
	return NULL;
}

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

int main(void)
{
	sigset_t set_of;
	sigemptyset(&set_of);
	for (int i = 0; i < 6; i++)
		sigaddset(&set_of, SIGRTMIN + i);
	MUST(pthread_sigmask(SIG_BLOCK, &set_of, NULL) == 0);

	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI };
	for (int i = 0; i < 4; i++) {
		timer_t timer = make(clocks[i], SIGEV_SIGNAL, SIGRTMIN + i, 40 + i, 0);
		start();
		set(timer, 1.5, 0);
		await("one shot", &set_of, 1.5, timer);
		struct itimerspec at = { { 0, 0 }, in_units(clocks[i], 1.5) }, now;
		start();
		MUST(timer_settime(timer, TIMER_ABSTIME, &at, NULL) == 0);
		await("absolute", &set_of, 1.4, timer);
		if (now_on(clocks[i]) < ns_of(at.it_value))
			say("EARLY");
		MUST(timer_gettime(timer, &now) == 0);
		say("over: %d", now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
		at.it_value = as_timespec(1);
		MUST(timer_settime(timer, TIMER_ABSTIME, &at, NULL) == 0);
		await("past", &set_of, 0, timer);
		MUST(timer_delete(timer) == 0);
	}

	timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 7, 0);
	start();
	set(timer, 1.3, 1);
	for (int i = 0; i < 3; i++)
		await("interval", &set_of, 1.3 + i, timer);
	/* Not taken for a while: one signal, and how many it stands for. */
	nap(2.5);
	await("overrun", &set_of, 4.3, timer);
	await("and then", &set_of, 5.3, timer);
	struct itimerspec now;
	MUST(timer_gettime(timer, &now) == 0);
	say("next within the interval: %d", ns_of(now.it_value) > 0 && ns_of(now.it_value) <= units(1));
	set(timer, 0, 0);

	/* Two with one number are two. */
	timer_t second = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 8, 0);
	start();
	set(timer, 1.2, 0);
	set(second, 1.4, 0);
	nap(2);
	await("first", &set_of, 2, timer);
	await("second", &set_of, 2, second);
	/* A signal of somebody else's stays where it is. */
	start();
	set(timer, 1.3, 1);
	nap(1.5);
	MUST(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 99 }) == 0);
	nap(2.2);
	siginfo_t info;
	int seen[2] = { 0, 0 };
	for (int i = 0; i < 2; i++) {
		MUST(sigwaitinfo(&set_of, &info) == SIGRTMIN);
		seen[info.si_code == SI_TIMER] += info.si_code == SI_TIMER ? 100 + info.si_overrun : info.si_value.sival_int;
	}
	say("queued %d, timer's %d", seen[0], seen[1]);
	set(timer, 0, 0);
	while (sigtimedwait(&set_of, &info, &(struct timespec){ 0, 0 }) > 0)
		;

	/* To one thread. */
	pid_t tid = 0;
	pthread_t t = thread(other, &tid);
	nap(0.5);
	timer_t its = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN + 2, 70, tid);
	set(its, 1, 1);
	join(t);
	MUST(timer_delete(its) == 0);

	/* SIGALRM without an event; handlers. */
	on_signal(SIGALRM, handler, 0);
	timer_t plain;
	MUST(timer_create(CLOCK_MONOTONIC, NULL, &plain) == 0);
	start();
	set(plain, 1.3, 0);
	int result = pause();
	say("pause: %d, handled %d after %d", result, (int)handled, after(1.3));
	handled = 0;
	start();
	set(plain, 1.2, 1);
	while (handled < 5)
		pause();
	say("five after %d", after(5.2));
	/* A child has none of them. */
	pid_t child = fork();
	if (child == 0) {
		handled = 0;
		say("in the child: %s", RESULT(timer_gettime(plain, &now)));
		nap(2.5);
		_exit(handled);
	}
	say("child handled %d", reap(child));
	MUST(timer_delete(plain) == 0);

	/* SIGEV_NONE only shows what is left. */
	timer_t silent = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	set(silent, 2.5, 2);
	nap(1);
	MUST(timer_gettime(silent, &now) == 0);
	say("left %d of interval %d", (int)(ns_of(now.it_value) / units(1)), (int)(ns_of(now.it_interval) / units(1)));
	nap(3);
	MUST(timer_gettime(silent, &now) == 0);
	say("left within %d", ns_of(now.it_value) > 0 && ns_of(now.it_value) <= units(0.6));
	set(silent, 1, 0);
	nap(1.5);
	MUST(timer_gettime(silent, &now) == 0);
	say("over: %d", (int)ns_of(now.it_value));

	/* Set again before it is due; stopped; deleted. */
	set(timer, 1, 0);
	nap(0.5);
	set(timer, 1.5, 0);
	start();
	nap(1);
	say("set again: %s", RESULT(sigtimedwait(&set_of, &info, &(struct timespec){ 0, 0 })));
	nap(1);
	say("and now: %d", sigtimedwait(&set_of, &info, &(struct timespec){ 0, 0 }) == SIGRTMIN);
	set(timer, 1, 0);
	MUST(timer_delete(timer) == 0);
	nap(1.5);
	say("deleted: %s", RESULT(sigtimedwait(&set_of, &info, &(struct timespec){ 0, 0 })));
	return 0;
}
