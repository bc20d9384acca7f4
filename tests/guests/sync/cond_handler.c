/* A handler that runs during pthread_cond_wait: the wait goes on (it never returns EINTR), even when the handler sleeps. */
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_t waiter;
static bool done;

static void handler(int number)
{
	(void)number;
	say("handler");
	nap(2);
	say("handler ends");
	errno = ENOTTY;
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	nap(3);
	pthread_mutex_lock(&lock);
	done = true;
	say("signal");
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
	return unused;
}

int main(void)
{
	waiter = pthread_self();
	on_signal(SIGUSR1, handler, 0);
	pthread_mutex_lock(&lock);
	start();
	pthread_t other = thread(sender, NULL);
	int error = 0;
	/* Spurious wake-ups are allowed, errors are not. */
	while (!done && error == 0)
		error = pthread_cond_wait(&cond, &lock);
	say("woken: %s after %d", name(error), after(4));
	pthread_mutex_unlock(&lock);
	join(other);

	/* The deadline of a timed wait stays where it was, whatever a handler does meanwhile. */
	done = false;
	start();
	other = thread(sender, NULL);
	struct timespec deadline = in_units(CLOCK_REALTIME, 3.8);
	pthread_mutex_lock(&lock);
	error = 0;
	while (!done && error == 0)
		error = pthread_cond_timedwait(&cond, &lock, &deadline);
	say("timed: %s after %d", name(error), after(3.8));
	pthread_mutex_unlock(&lock);
	join(other);
	return 0;
}
