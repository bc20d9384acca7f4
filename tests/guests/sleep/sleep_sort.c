/* Threads that sleep for different times wake in the order of their times. */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[9], count;

static void *body(void *argument)
{
	int n = (int)(intptr_t)argument;
	start();
	nap(n);
	int elapsed = after(n);
	pthread_mutex_lock(&lock);
	order[count++] = n;
	say("%d after %d", n, elapsed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(void)
{
	int values[] = { 5, 2, 9, 1, 7, 3, 8, 4, 6 };
	pthread_t threads[9];
	start();
	for (int i = 0; i < 9; i++)
		threads[i] = thread(body, (void *)(intptr_t)values[i]);
	for (int i = 0; i < 9; i++)
		join(threads[i]);
	for (int i = 1; i < 9; i++)
		if (order[i] < order[i - 1])
			say("FAIL %d before %d", order[i - 1], order[i]);
	say("all after %d", after(9));
	return 0;
}
