/* Many short sleeps: none is early, and together they are as long as their sum. */
#include "guest.h"

int main(void)
{
	int64_t step = units(0.01), first = now_on(CLOCK_MONOTONIC);
	int early = 0;
	for (int i = 0; i < 500; i++) {
		int64_t before = now_on(CLOCK_MONOTONIC);
		struct timespec t = as_timespec(step + i);
		MUST(nanosleep(&t, NULL) == 0);
		early += now_on(CLOCK_MONOTONIC) - before < step + i;
	}
	say("early: %d of 500, sum reached: %d", early, now_on(CLOCK_MONOTONIC) - first >= 500 * step);

	/* The same on the clock that people read. */
	for (int i = 0; i < 50; i++) {
		struct timespec deadline = as_timespec(now_on(CLOCK_REALTIME) + step);
		MUST(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &deadline, NULL) == 0);
		early += now_on(CLOCK_REALTIME) < ns_of(deadline);
	}
	say("early: %d", early);
	return 0;
}
