/* A test waits until the rest of the program has nothing to do any more, and looks: no sleep that is long enough, and no time
 * has passed.
 */
#include <flux.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int done;

static void *work(void *unused)
{
	for (volatile int i = 0; i < 30000000; i++)
		;
	done = 1;
	sleep(3600);
	done = 2;
	return unused;
}

int main(void)
{
	pthread_t worker;
	uint64_t from = flux_now();
	pthread_create(&worker, NULL, work, NULL);
	if (flux_at_rest(10000) != 0) {
		perror("flux_at_rest");
		return 1;
	}
	printf("at rest: step %d, %d min\n", done, (int)((flux_now() - from) / 60000000000u));
	sleep(3601);
	flux_at_rest(10000);
	printf("at rest: step %d, %d min\n", done, (int)((flux_now() - from) / 60000000000u));
	pthread_join(worker, NULL);
	return 0;
}
