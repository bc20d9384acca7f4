/* A program that ends while others of its threads sleep. */
#include "guest.h"

static void *sleeps(void *unused)
{
	nap(1000);
	return unused;
}

int main(void)
{
	for (int i = 0; i < 2; i++)
		thread(sleeps, NULL);
	/* Until all sleep. */
	for (clock_t until = clock() + CLOCKS_PER_SEC / 50; clock() < until;)
		;
	say("leaves");
	return 0;
}
