/* Several threads that want one mutex and nap while they hold it: never two at a time, and the naps add up. */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int inside, rounds;

static void *body(void *unused)
{
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&lock);
		if (++inside != 1)
			say("FAIL %d inside", inside);
		nap(0.5);
		rounds++;
		inside--;
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[5];
	start();
	for (int i = 0; i < 5; i++)
		threads[i] = thread(body, NULL);
	for (int i = 0; i < 5; i++)
		join(threads[i]);
	/* The pauses natively between the naps may add up to a unit, so only the least is compared. */
	after(7.5);
	say("rounds %d", rounds);
	return 0;
}
