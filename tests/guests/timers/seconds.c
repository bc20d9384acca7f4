/* alarm(2) counts seconds, ualarm(3) microseconds: lengths of their own. */
#include "guest.h"

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

static long long ms_since(void)
{
	int64_t elapsed = now_on(CLOCK_MONOTONIC) - started;
	return elapsed / 1000000;
}

static const char *within(long long ms, long long from, long long to)
{
	static char text[64];
	snprintf(text, sizeof text, "%lld ms", ms);
	return ms >= from && ms < to ? "in time" : text;
}

int main(void)
{
	on_signal(SIGALRM, handler, 0);
	start();
	say("alarm: %u", alarm(1));
	pause();
	say("pause ended %s, handled %d", within(ms_since(), 1000, 1400), (int)handled);

	/* sleep and alarm are two things, and the shorter one ends first. */
	start();
	alarm(1);
	unsigned left = sleep(3);
	say("sleep(3) interrupted: %d, %s", left == 1 || left == 2, within(ms_since(), 1000, 1400));
	start();
	alarm(2);
	say("sleep(1): %u left", sleep(1));
	say("of the alarm: %u", alarm(0));

	start();
	say("ualarm: %u", ualarm(200000, 0));
	pause();
	say("ended %s", within(ms_since(), 200, 600));
	start();
	ualarm(100000, 50000);
	for (int i = 0; i < 4; i++)
		pause();
	say("four times %s", within(ms_since(), 250, 600));
	say("stopped %d", ualarm(0, 0) <= 50000);

	/* Rounded to the nearest second. */
	struct itimerval half = { { 0, 0 }, { 5, 600000 } };
	MUST(setitimer(ITIMER_REAL, &half, NULL) == 0);
	say("of 5.6 s: %u", alarm(0));
	half.it_value.tv_usec = 400000;
	MUST(setitimer(ITIMER_REAL, &half, NULL) == 0);
	say("of 5.4 s: %u", alarm(0));
	half.it_value = (struct timeval){ 0, 300000 };
	MUST(setitimer(ITIMER_REAL, &half, NULL) == 0);
	say("of 0.3 s: %u", alarm(0));
	return 0;
}
