/* Two threads take turns by a condition and nap before each turn: the order never changes and the time is the sum of the naps. */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turn;

static void *body(void *argument)
{
	int me = (int)(intptr_t)argument;
	for (int round = 0; round < 4; round++) {
		pthread_mutex_lock(&lock);
		while (turn % 2 != me)
			pthread_cond_wait(&cond, &lock);
		/* With the lock held, as programs do. */
		nap(0.5);
		say("turn %d: thread %d", turn, me);
		turn++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	start();
	pthread_t one = thread(body, (void *)1), zero = thread(body, (void *)0);
	join(one);
	join(zero);
	say("after %d", after(4));
	return 0;
}
