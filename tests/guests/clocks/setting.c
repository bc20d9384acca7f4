/* clock_settime, settimeofday, adjtime: answered inside the session, for all its processes, without moving the monotonic clocks. */
#include "guest.h"

int main(void)
{
	int64_t offset = 1000000 * SECOND, tolerance = 2 * SECOND;
	int64_t wall = now_on(CLOCK_REALTIME), monotonic = now_on(CLOCK_MONOTONIC);
	struct timespec t = as_timespec(wall + offset);
	say("clock_settime: %s", RESULT(clock_settime(CLOCK_REALTIME, &t)));
	int64_t moved = now_on(CLOCK_REALTIME) - wall - offset;
	say("moved %d, monotonic stays %d", moved >= 0 && moved < tolerance, now_on(CLOCK_MONOTONIC) - monotonic < tolerance);
	int64_t coarse = now_on(CLOCK_REALTIME_COARSE) - wall - offset;
	struct timeval day;
	gettimeofday(&day, NULL);
	say("coarse too %d, gettimeofday %d, time %d", coarse > -tolerance && coarse < tolerance,
	    day.tv_sec * SECOND - wall - offset < tolerance, time(NULL) * SECOND - wall - offset < tolerance);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		int64_t its = now_on(CLOCK_REALTIME) - wall - offset;
		_exit(its >= 0 && its < tolerance ? 0 : 1);
	}
	say("a child sees it: %d", reap(child) == 0);

	/* Relative sleeps do not care; an absolute one on the wall clock does. */
	REPORT(2, "sleep", ({ nap(2); 0; }));
	struct timespec deadline;
	REPORT(2, "until", (deadline = in_units(CLOCK_REALTIME, 2), clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &deadline, NULL)));

	wall = now_on(CLOCK_REALTIME);
	day = as_timeval(wall - offset);
	say("settimeofday: %s", RESULT(settimeofday(&day, NULL)));
	moved = now_on(CLOCK_REALTIME) - wall + offset;
	say("moved back %d", moved > -tolerance && moved < tolerance);
	say("monotonic: %s", RESULT(clock_settime(CLOCK_MONOTONIC, &t)));
	struct timespec bad = { 1, 1000000000 };
	say("bad time: %s", RESULT(clock_settime(CLOCK_REALTIME, &bad)));
	say("no such clock: %s", RESULT(clock_settime(77, &t)));
	struct timeval step = { 0, 1000 }, old;
	say("adjtime: %s", RESULT(adjtime(&step, &old)));
	return 0;
}
