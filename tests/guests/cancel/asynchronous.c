/* Asynchronous cancellation of a thread that computes, by one that slept meanwhile. */
#include "guest.h"

static volatile unsigned rounds;

static void *computes(void *unused)
{
	int type;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	for (;;)
		rounds++;
	return unused;
}

int main(void)
{
	start();
	pthread_t t = thread(computes, NULL);
	nap(2);
	pthread_cancel(t);
	bool cancelled = join(t) == PTHREAD_CANCELED;
	say("cancelled %d, %s", cancelled, in_time(2));
	return 0;
}
