/* clock_nanosleep(2): returns the error number, never sets errno; which clocks it knows; both kinds of bad times. */
#include "guest.h"

int main(void)
{
	struct {
		const char *what;
		clockid_t id;
	} clocks[] = {
		{ "REALTIME", CLOCK_REALTIME },
		{ "MONOTONIC", CLOCK_MONOTONIC },
		{ "BOOTTIME", CLOCK_BOOTTIME },
		{ "TAI", CLOCK_TAI },
		{ "THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID },
		{ "MONOTONIC_RAW", CLOCK_MONOTONIC_RAW },
		{ "MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE },
		{ "REALTIME_COARSE", CLOCK_REALTIME_COARSE },
		{ "10", 10 },
		{ "77", 77 },
		{ "greatest", 0x7fffffff },
	};
	struct timespec tiny = { 0, 1 }, past = { 1, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
	struct timespec *volatile nowhere = NULL;
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		clockid_t id = clocks[i].id;
		GUARDED(struct timespec) left;
		guard(&left);
		errno = 0;
		say("%s: short %s, past %s, bad %s, bad absolute %s, negative %s, negative absolute %s", clocks[i].what,
		    name(clock_nanosleep(id, 0, &tiny, &left.value)),
		    name(clock_nanosleep(id, TIMER_ABSTIME, &past, &left.value)),
		    name(clock_nanosleep(id, 0, &bad, &left.value)),
		    name(clock_nanosleep(id, TIMER_ABSTIME, &bad, &left.value)),
		    name(clock_nanosleep(id, 0, &negative, &left.value)),
		    name(clock_nanosleep(id, TIMER_ABSTIME, &negative, &left.value)));
		say("    no request %s, absolute %s", name(clock_nanosleep(id, 0, nowhere, NULL)),
		    name(clock_nanosleep(id, TIMER_ABSTIME, nowhere, NULL)));
		if (errno != 0 || !guard_untouched(&left))
			say("FAIL errno %s, remaining time untouched %d", name(errno), guard_untouched(&left));
	}
	/* Of the flags only TIMER_ABSTIME has a meaning, the others are ignored. */
	struct timespec one = as_timespec(units(1));
	REPORT_ERROR(1, "odd flags", clock_nanosleep(CLOCK_MONOTONIC, 0x40, &one, NULL));
	return 0;
}
