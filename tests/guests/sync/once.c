/* pthread_once whose function sleeps: the others wait for it inside the library, where no entry point tells of the wait. */
#include "guest.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int runs;

static void initialise(void)
{
	nap(2.3);
	runs++;
}

static void *body(void *unused)
{
	start();
	pthread_once(&once, initialise);
	if (after(2) != 2)
		say("FAIL not after 2");
	return unused;
}

int main(void)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		threads[i] = thread(body, NULL);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	say("runs %d", runs);
	return 0;
}
