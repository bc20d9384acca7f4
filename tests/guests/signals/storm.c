/* Two hundred signals while a thread sleeps: each is handled, what remains stays right, the end is not early. */
#include "guest.h"

static volatile sig_atomic_t handled;
static pthread_t sleeper;

static void handler(int number)
{
	(void)number;
	handled++;
}

static void *sender(void *unused)
{
	for (int i = 0; i < 200; i++) {
		struct timespec t = as_timespec(units(0.02));
		int before = handled;
		pthread_kill(sleeper, SIGUSR1);
		/* The next one only after this was handled: an ordinary signal that is pending twice is one. */
		while (handled == before)
			sched_yield();
		nanosleep(&t, NULL);
	}
	return unused;
}

int main(void)
{
	sleeper = pthread_self();
	on_signal(SIGUSR1, handler, 0);
	start();
	pthread_t other = thread(sender, NULL);
	struct timespec left = as_timespec(units(30));
	int interrupted = 0;
	while (nanosleep(&left, &left) != 0) {
		MUST(errno == EINTR);
		/* The kernel may report a little more than was asked for: the slack it gives itself. */
		MUST(ns_of(left) <= units(30) + 1000000);
		interrupted++;
	}
	after(30);
	say("handled %d, at least half of them in the sleep: %d", handled, interrupted >= 100);
	join(other);
	return 0;
}
