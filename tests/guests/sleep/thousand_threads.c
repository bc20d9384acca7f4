/* A thousand threads, or as many as the compiler is told, that sleep, each its own time, several times. */
#include "guest.h"

#ifndef THREADS
#define THREADS FEWER(1000, 100)
#endif
static int woken[11];

static void *body(void *argument)
{
	int n = (int)(intptr_t)argument % 10 + 1;
	start();
	for (int i = 0; i < 2; i++)
		nap(n);
	after(2 * n);
	__atomic_add_fetch(&woken[n], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	static pthread_t threads[THREADS];
	start();
	for (int i = 0; i < THREADS; i++)
		MUST((errno = pthread_create(&threads[i], &small, body, (void *)(intptr_t)i)) == 0);
	for (int i = 0; i < THREADS; i++)
		join(threads[i]);
	after(20);
	for (int n = 1; n <= 10; n++)
		say("threads of %d units: %s", n, woken[n] == THREADS / 10 ? "all" : "FAIL not all");
	return 0;
}
