/* A loop that waits for the clock to move without sleeping ends, in every mode. */
#include "guest.h"

int main(void)
{
	int64_t begin = now_on(CLOCK_MONOTONIC);
	while (now_on(CLOCK_MONOTONIC) - begin < 3000000)
		;
	say("three milliseconds");
	struct timeval first, now;
	gettimeofday(&first, NULL);
	do
		gettimeofday(&now, NULL);
	while (now.tv_sec == first.tv_sec && now.tv_usec - first.tv_usec < 1000);
	say("a millisecond by gettimeofday");
	begin = now_on(CLOCK_REALTIME);
	while (now_on(CLOCK_REALTIME) - begin < 1000000)
		sched_yield();
	say("a millisecond, yielding");
	nap(1);
	begin = now_on(CLOCK_BOOTTIME);
	while (now_on(CLOCK_BOOTTIME) - begin < 1000000)
		;
	say("a millisecond after a sleep");
	return 0;
}
