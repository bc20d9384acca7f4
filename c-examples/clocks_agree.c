/* Reads every clock before and after a year of sleep.
 *
 * Promise: all clocks of a program move together, however they are read. CPU time is left alone.
 */
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400
#define CLOCKS 9

/* Seconds since whenever that clock began. */
static double read_clock(int which)
{
	static const clockid_t ids[] = {
		CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
		CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID,
	};
	struct timespec ts;
	struct timeval tv;
	switch (which) {
	case 7:
		gettimeofday(&tv, NULL);
		return tv.tv_sec + tv.tv_usec / 1e6;
	case 8:
		return time(NULL);
	default:
		clock_gettime(ids[which], &ts);
		return ts.tv_sec + ts.tv_nsec / 1e9;
	}
}

int main(void)
{
	static const char *const names[CLOCKS] = {
		"CLOCK_REALTIME", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW",
		"CLOCK_BOOTTIME", "CLOCK_TAI", "CPU time", "gettimeofday", "time",
	};
	double before[CLOCKS];
	for (int i = 0; i < CLOCKS; i++)
		before[i] = read_clock(i);
	for (int day = 0; day < 365; day++)
		sleep(DAY);
	for (int i = 0; i < CLOCKS; i++)
		printf("%s: %.0f days\n", names[i], (read_clock(i) - before[i]) / DAY);
	return 0;
}
