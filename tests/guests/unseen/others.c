/* Waits that no hook sees, beside other threads and processes: they end in order, by what others do, by signals; and a
 * process that is stopped meanwhile sleeps on when it is continued. */
#ifndef RAW_WAITS
#define RAW_WAITS
#endif
#include "raw.h"
#include "guest.h"

static int ends[2];

static void *sleeper(void *which)
{
	start();
	nap((double)(intptr_t)which + 0.3);
	say("thread %d after %d", (int)(intptr_t)which, after((double)(intptr_t)which + 0.3));
	return NULL;
}

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(ends[1], "x", 1) == 1);
	return unused;
}

static pthread_t target;

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(target, SIGUSR1);
	return unused;
}

static void nothing(int number)
{
	(void)number;
}

/* A child sleeps for 8 units, and is stopped from 2 on for n units. */
static void stopped(double n)
{
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(8);
		_exit(7);
	}
	nap(2);
	kill(child, SIGSTOP);
	nap(n);
	kill(child, SIGCONT);
	int code = reap(child);
	say("stopped for %d: %d after %d", (int)n, code, after(8));
}

int main(void)
{
	pthread_t sleepers[5];
	for (intptr_t i = 0; i < 5; i++) {
		static const intptr_t order[] = { 3, 1, 4, 0, 2 };
		sleepers[i] = thread(sleeper, (void *)order[i]);
	}
	start();
	nap(2.6);
	say("main after %d", after(2.6));
	for (int i = 0; i < 5; i++)
		join(sleepers[i]);

	MUST(pipe(ends) == 0);
	pthread_t other = thread(writer, NULL);
	struct pollfd in = { .fd = ends[0], .events = POLLIN };
	REPORT(1, "poll, written to", poll(&in, 1, ms(4)));
	char byte;
	MUST(read(ends[0], &byte, 1) == 1);
	join(other);

	on_signal(SIGUSR1, nothing, 0);
	target = pthread_self();
	other = thread(sender, NULL);
	struct timespec four = as_timespec(units(4));
	REPORT(1, "nanosleep, handler", nanosleep(&four, NULL));
	join(other);
	other = thread(sender, NULL);
	REPORT(1, "poll, handler", poll(&in, 1, ms(4)));
	join(other);

	stopped(2);
	stopped(9);

	start();
	for (int i = 0; i < 100; i++)
		nap(0.02);
	say("a hundred naps: %s", after(2) < 4 ? "in time" : "late");
	return 0;
}
