/* Threads that each read the clock until some time has passed. By a frozen clock the back-offs of one are nothing that another
 * would have to begin again for. */
#include "guest.h"

static void *asks(void *argument)
{
	int64_t end = *(int64_t *)argument + units(1);
	while (now_on(CLOCK_MONOTONIC) < end)
		;
	return NULL;
}

int main(void)
{
	for (int threads = 1; threads <= 3; threads++) {
		pthread_t all[3];
		start();
		int64_t began = started;
		for (int i = 0; i < threads; i++)
			all[i] = thread(asks, &began);
		for (int i = 0; i < threads; i++)
			pthread_join(all[i], NULL);
		say("%d that ask: %s", threads, in_time(1));
	}
	return 0;
}
