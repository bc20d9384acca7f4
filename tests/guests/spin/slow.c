/* A loop that looks at the clock, and between two looks computes and gets something done; nobody sleeps meanwhile. */
#include "guest.h"

int main(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	volatile unsigned x = 1;
	start();
	int64_t end = started + units(1.3);
	while (now_on(CLOCK_MONOTONIC) < end) {
		MUST(pthread_mutex_trylock(&mutex) == 0);
		for (int i = 0; i < 1000; i++)
			x = x * 1103515245 + 12345;
		pthread_mutex_unlock(&mutex);
	}
	say("by the clock: %s", in_time(1.3));
	return 0;
}
