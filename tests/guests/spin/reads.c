/* Reads the clock millions of times and waits for nothing; then sleeps. */
#include "../guest.h"

int main(void)
{
	struct timespec now;
	for (int i = 0; i < FEWER(3000000, 20000); i++)
		MUST(clock_gettime(CLOCK_REALTIME, &now) == 0);
	struct timespec then, unit = { unit_ms() / 1000, unit_ms() % 1000 * 1000000 };
	say("nanosleep: %s", RESULT(nanosleep(&unit, NULL)));
	MUST(clock_gettime(CLOCK_REALTIME, &then) == 0);
	int64_t passed = (then.tv_sec - now.tv_sec) * SECOND + then.tv_nsec - now.tv_nsec;
	say("it took %s", passed >= unit_ms() * 1000000 ? "a unit" : "less");
	say("the year: %s", then.tv_sec < 3600LL * 24 * 365 * 130 ? "before 2100" : "far away");
	return 0;
}
