/* Cancellation of the sleep family. */
#include "cancel/points.h"
#include <threads.h>

static void by_nanosleep(void) { struct timespec t = as_timespec(units(99)); nanosleep(&t, NULL); }
static void by_clock_nanosleep(void) { struct timespec t = in_units(CLOCK_MONOTONIC, 99); clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); }
static void by_usleep(void) { for (;;) usleep(units(0.7) / 1000); } /* Its argument holds little more than an hour. */
static void by_sleep(void) { sleep(4000000000u); }
static void by_thrd_sleep(void) { struct timespec t = as_timespec(units(99)); thrd_sleep(&t, NULL); }
static void by_pause(void) { pause(); }
static void by_sigsuspend(void) { sigset_t none; sigemptyset(&none); sigsuspend(&none); }

int main(void)
{
	struct point points[] = {
		{ "nanosleep", by_nanosleep, NULL },
		{ "clock_nanosleep", by_clock_nanosleep, NULL },
		{ "usleep", by_usleep, NULL },
		{ "sleep", by_sleep, NULL },
		{ "thrd_sleep", by_thrd_sleep, NULL },
		{ "pause", by_pause, NULL },
		{ "sigsuspend", by_sigsuspend, NULL },
	};
	TRY(points);
	return 0;
}
