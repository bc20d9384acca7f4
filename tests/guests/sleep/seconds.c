/* sleep, usleep and thrd_sleep: their return values, also after a signal. sleep() counts whole seconds, so its unit is one at least. */
#include "guest.h"
#include <threads.h>

static pthread_t sleeper;
static double when;

static void handler(int number)
{
	(void)number;
}

static void *sender(void *unused)
{
	struct timespec t = as_timespec((int64_t)(when * 1e9));
	nanosleep(&t, NULL);
	MUST(pthread_kill(sleeper, SIGUSR1) == 0);
	return unused;
}

int main(void)
{
	int64_t long_second = unit_ms() > 1000 ? unit_ms() / 1000 : 1;
	sleeper = pthread_self();
	on_signal(SIGUSR1, handler, SA_RESTART);

	start();
	unsigned left = sleep(long_second);
	int64_t elapsed = now_on(CLOCK_MONOTONIC) - started;
	say("sleep: %u left, elapsed %lld", left, (long long)(elapsed / (long_second * SECOND)));
	say("sleep(0): %u", sleep(0));

	when = 0.65 * long_second;
	pthread_t other = thread(sender, NULL);
	start();
	errno = 0;
	left = sleep(2 * long_second);
	elapsed = now_on(CLOCK_MONOTONIC) - started;
	say("sleep interrupted: %lld left, errno %s, elapsed %lld", (long long)(left / long_second), name(errno),
	    (long long)(2 * elapsed / (long_second * SECOND)));
	join(other);

	REPORT(1, "usleep", usleep(units(1) / 1000));
	say("usleep(0): %s", RESULT(usleep(0)));
	when = unit_ms() / 1000.0 / 2;
	other = thread(sender, NULL);
	REPORT(0.4, "usleep interrupted", usleep(units(1) / 1000));
	join(other);

	GUARDED(struct timespec) rest;
	guard(&rest);
	struct timespec t = as_timespec(units(2));
	REPORT(2, "thrd_sleep", thrd_sleep(&t, &rest.value));
	say("untouched %d", guard_untouched(&rest));
	when = unit_ms() / 1000.0 * 1.3;
	other = thread(sender, NULL);
	start();
	t = as_timespec(units(3.8));
	int result = thrd_sleep(&t, &rest.value);
	say("thrd_sleep interrupted: %d, after %d, left %lld, guards %d", result, after(1),
	    (long long)(ns_of(rest.value) / units(1)), guard_ok(&rest));
	join(other);
	struct timespec bad = { 0, 1000000000 };
	say("thrd_sleep, bad time: less than -1: %d", thrd_sleep(&bad, NULL) < -1);
	return 0;
}
