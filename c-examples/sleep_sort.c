/* Sorts numbers by sleeping: a thread for each, which prints its number when that many seconds are over.
 *
 * Promise: time-outs come in the order of their deadlines, however many threads wait.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static void *print_later(void *number)
{
	struct timespec ts = { .tv_sec = *(const int *)number };
	nanosleep(&ts, NULL);
	printf("%d\n", *(const int *)number);
	return NULL;
}

int main(void)
{
	static int numbers[] = { 86400, 7, 123213, 500, 1, 40000, 99, 3 };
	enum { COUNT = sizeof numbers / sizeof *numbers };
	pthread_t threads[COUNT];
	for (int i = 0; i < COUNT; i++)
		if (pthread_create(&threads[i], NULL, print_later, &numbers[i]) != 0)
			return 1;
	for (int i = 0; i < COUNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
