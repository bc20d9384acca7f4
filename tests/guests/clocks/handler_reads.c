/* Signal handlers read the clock, by every way, while what they interrupt reads it too: never back, never nonsense. */
#include "guest.h"
#include "vdso.h"

static read_clock own;
static int64_t latest;
static volatile sig_atomic_t handled;

static void read_all(void)
{
	int64_t first = now_on(CLOCK_MONOTONIC), second = now_by(own, CLOCK_MONOTONIC), third = now_on(CLOCK_MONOTONIC);
	if (!BETWEEN(first, second, third))
		say("FAIL back");
}

static void handler(int number)
{
	(void)number;
	int64_t now = now_by(own, CLOCK_MONOTONIC);
	if (now < latest)
		say("FAIL back in a handler");
	latest = now;
	read_all();
	handled++;
}

static volatile bool stop;

static void *reader(void *unused)
{
	while (!stop)
		read_all();
	return unused;
}

int main(void)
{
	own = own_vdso_function("__vdso_clock_gettime");
	on_signal(SIGUSR1, handler, SA_RESTART);
	pthread_t t = thread(reader, NULL);
	for (int i = 0; i < FEWER(500, 100); i++) {
		MUST(pthread_kill(t, SIGUSR1) == 0);
		while (handled <= i)
			sched_yield();
	}
	stop = true;
	join(t);
	say("handled %d", (int)handled);
	return 0;
}
