/* A thread's key destructors sleep after it has left its function; who joins it waits for them. */
#include "guest.h"

static pthread_key_t key;
static int rounds;

static void destroy(void *value)
{
	nap(1);
	rounds++;
	say("destructor %d, round %d: after %d", (int)(intptr_t)value, rounds, after(rounds));
	/* A value set again is destroyed again (pthread_key_create(3)). */
	if (rounds < 3)
		pthread_setspecific(key, value);
}

static void *body(void *unused)
{
	start();
	pthread_setspecific(key, (void *)7);
	return unused;
}

int main(void)
{
	MUST(pthread_key_create(&key, destroy) == 0);
	start();
	join(thread(body, NULL));
	say("joined: after %d", after(3));
	return 0;
}
