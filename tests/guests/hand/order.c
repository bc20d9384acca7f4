/* Time-outs during a hold come in the order of their deadlines, none early, and with a frozen clock none late. */
#include "../../../libflux/include/flux.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int MS[] = {45, 15, 30, 15, 60};
enum { COUNT = sizeof(MS) / sizeof(*MS) };
static int frozen, order[COUNT], came, wrong;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *waits(void *at)
{
	int i = (int)(long)at;
	uint64_t due = flux_now() + MS[i] * 1000000u;
	struct timespec until = {(time_t)(due / 1000000000), (long)(due % 1000000000)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	uint64_t now = flux_now();
	pthread_mutex_lock(&lock);
	wrong += now < due || (frozen && now != due);
	order[came++] = i;
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int count, char **arguments)
{
	pthread_t threads[COUNT];
	frozen = count > 1 && !strcmp(arguments[1], "frozen");
	int hold = flux_hold("order");
	for (long i = 0; i < COUNT; i++)
		pthread_create(&threads[i], NULL, waits, (void *)i);
	uint64_t from = flux_now(), really = flux_real_now();
	usleep(100000);
	flux_release(hold);
	uint64_t took = flux_now() - from;
	really = flux_real_now() - really;
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; frozen && i < COUNT; i++)
		printf("%d", order[i]);
	printf("%s %s %s\n", wrong ? "wrong" : "right", took >= 100000000 ? "held" : "early", really >= 95000000 ? "waited" : "jumped");
	return 0;
}
