/* All clocks move together: by the same time, across sleeps and waits, and never backwards. */
#include "guest.h"
#include <sys/timeb.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* ftime is old, and still an entry point. */

enum { CLOCKS = 7 };
static const clockid_t ids[CLOCKS] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_MONOTONIC_RAW,
	                               CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE };
static const char *const names[CLOCKS] = { "MONOTONIC", "REALTIME", "BOOTTIME", "TAI", "MONOTONIC_RAW",
	                                   "MONOTONIC_COARSE", "REALTIME_COARSE" };

/* What reading them all one after the other and the ticks of the coarse ones may make out. RAW may drift by 500 ppm as well. */
static bool close_to(int64_t a, int64_t b)
{
	int64_t difference = a > b ? a - b : b - a, tolerance = 15000000 + b / 1000;
	return difference <= tolerance;
}

int main(void)
{
	for (int round = 1; round <= 3; round++) {
		int64_t before[CLOCKS], passed[CLOCKS];
		struct timeval day, day_after;
		struct timeb old, old_after;
		struct timespec utc, utc_after;
		for (int i = 0; i < CLOCKS; i++)
			before[i] = now_on(ids[i]);
		gettimeofday(&day, NULL);
		ftime(&old);
		timespec_get(&utc, TIME_UTC);
		time_t whole = time(NULL);
		if (round == 2)
			poll(NULL, 0, ms(20));
		else
			nap(20);
		for (int i = 0; i < CLOCKS; i++)
			passed[i] = now_on(ids[i]) - before[i];
		gettimeofday(&day_after, NULL);
		ftime(&old_after);
		timespec_get(&utc_after, TIME_UTC);
		time_t whole_after = time(NULL);
		for (int i = 0; i < CLOCKS; i++)
			say("%s: %s", names[i], close_to(passed[i], passed[0]) ? "agrees" : "FAIL");
		int64_t by_day = (day_after.tv_sec - day.tv_sec) * SECOND + (day_after.tv_usec - day.tv_usec) * 1000LL;
		int64_t by_old = (old_after.time - old.time) * SECOND + (old_after.millitm - old.millitm) * 1000000LL;
		int64_t by_utc = ns_of(utc_after) - ns_of(utc), by_whole = (whole_after - whole) * SECOND;
		say("gettimeofday %d, ftime %d, timespec_get %d", close_to(by_day, passed[0]), close_to(by_old, passed[0]),
		    close_to(by_utc, passed[0]));
		say("time %d", by_whole - passed[0] < SECOND + 15000000 + passed[0] / 1000 && passed[0] - by_whole < SECOND + 15000000 + passed[0] / 1000);
	}
	/* Read at the same moment, the wall clocks show the same. */
	struct timeval day;
	struct timeb old;
	struct timespec utc;
	int64_t now = now_on(CLOCK_REALTIME);
	gettimeofday(&day, NULL);
	ftime(&old);
	timespec_get(&utc, TIME_UTC);
	say("the same moment: %d %d %d",
	    day.tv_sec * SECOND + day.tv_usec * 1000LL - now < SECOND / 10, ns_of(utc) - now < SECOND / 10,
	    old.time * SECOND + old.millitm * 1000000LL - now < SECOND / 10);
	return 0;
}
