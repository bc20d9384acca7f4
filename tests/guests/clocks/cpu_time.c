/* The clocks of used processor time are left alone: an hour's sleep uses next to none. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/times.h>

static int64_t used(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

int main(void)
{
	int64_t process = now_on(CLOCK_PROCESS_CPUTIME_ID), mine = now_on(CLOCK_THREAD_CPUTIME_ID), usage = used();
	clock_t by_clock = clock();
	nap(5);
	int64_t limit = SECOND / 2;
	say("process %d, thread %d, getrusage %d, clock %d", now_on(CLOCK_PROCESS_CPUTIME_ID) - process < limit,
	    now_on(CLOCK_THREAD_CPUTIME_ID) - mine < limit, used() - usage < limit, clock() - by_clock < CLOCKS_PER_SEC / 2);
	/* And computing uses it. */
	mine = now_on(CLOCK_THREAD_CPUTIME_ID);
	while (now_on(CLOCK_THREAD_CPUTIME_ID) - mine < 5000000)
		;
	say("computed %d", now_on(CLOCK_PROCESS_CPUTIME_ID) - process >= 5000000);
	return 0;
}
