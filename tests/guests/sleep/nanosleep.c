/* nanosleep: 0 and "ok" after the time asked for, whatever its size; the remaining time is not written. */
#include "guest.h"

int main(void)
{
	double lengths[] = { 1, 2, 0.5, 3 };
	for (int i = 0; i < 4; i++) {
		GUARDED(struct timespec) left;
		guard(&left);
		struct timespec asked = as_timespec(units(lengths[i]));
		start();
		const char *result = RESULT(nanosleep(&asked, &left.value));
		say("%g units: %s, after %d, remaining time untouched: %d", lengths[i], result, after(lengths[i]),
		    guard_untouched(&left));
	}
	struct timespec zero = { 0, 0 }, one = { 0, 1 };
	say("nothing: %s", RESULT(nanosleep(&zero, NULL)));
	int64_t before = now_on(CLOCK_MONOTONIC);
	say("one nanosecond: %s", RESULT(nanosleep(&one, NULL)));
	say("it passed: %d", now_on(CLOCK_MONOTONIC) > before);

	/* The request and the remaining time may be the same variable. */
	struct timespec both = as_timespec(units(1));
	REPORT(1, "in place", nanosleep(&both, &both));
	say("request kept: %d", ns_of(both) == units(1));
	return 0;
}
