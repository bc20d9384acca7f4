/* TIMER_ABSTIME on each clock: ends when that clock reads the deadline, at once when it is past. */
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
	};
	for (int i = 0; i < 4; i++) {
		clockid_t id = clocks[i].id;
		start();
		struct timespec deadline = in_units(id, 2);
		int error = clock_nanosleep(id, TIMER_ABSTIME, &deadline, NULL);
		int64_t late = now_on(id) - ns_of(deadline);
		say("%s: %s, after %d, the clock agrees: %d", clocks[i].what, name(error), after(2), late >= 0 && late < units(1));
		start();
		error = clock_nanosleep(id, TIMER_ABSTIME, &deadline, NULL);
		say("%s again: %s, after %d", clocks[i].what, name(error), after(0));
		struct timespec relative = as_timespec(units(1));
		start();
		error = clock_nanosleep(id, 0, &relative, NULL);
		say("%s relative: %s, after %d", clocks[i].what, name(error), after(1));
	}

	/* A chain of deadlines does not drift: the tenth is ten steps after the first, however long each took. */
	start();
	int64_t step = units(0.5), first = now_on(CLOCK_MONOTONIC);
	for (int i = 1; i <= 10; i++) {
		struct timespec deadline = as_timespec(first + i * step);
		MUST(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == 0);
	}
	say("ten half units: after %d", after(5));
	return 0;
}
