/* pthread_cond_wait: signal wakes one, broadcast all, the mutex is held again afterwards; a static initialiser. */
#include "guest.h"

enum { WAITERS = 5 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int waiting, tokens, woken;

static void *waiter(void *unused)
{
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_signal(&ready);
	while (tokens == 0)
		MUST((errno = pthread_cond_wait(&changed, &lock)) == 0);
	/* The lock is ours, or others would take the same token. */
	tokens--;
	woken++;
	pthread_mutex_unlock(&lock);
	return unused;
}

static int woken_now(void)
{
	pthread_mutex_lock(&lock);
	int n = woken;
	pthread_mutex_unlock(&lock);
	return n;
}

static void give(int n, int (*wake)(pthread_cond_t *))
{
	pthread_mutex_lock(&lock);
	tokens += n;
	pthread_mutex_unlock(&lock);
	say("wake: %s", name(wake(&changed)));
	nap(1);
	say("woken %d, tokens left %d", woken_now(), tokens);
}

int main(void)
{
	pthread_t threads[WAITERS];
	start();
	for (int i = 0; i < WAITERS; i++)
		threads[i] = thread(waiter, NULL);
	pthread_mutex_lock(&lock);
	while (waiting < WAITERS)
		pthread_cond_wait(&ready, &lock);
	pthread_mutex_unlock(&lock);
	say("waiting: %d", waiting);

	/* Nobody is woken by a wake-up that happened before the wait, nor without reason. */
	nap(1);
	say("woken %d", woken_now());
	give(1, pthread_cond_signal);
	give(1, pthread_cond_signal);
	give(0, pthread_cond_broadcast);
	give(3, pthread_cond_broadcast);
	for (int i = 0; i < WAITERS; i++)
		join(threads[i]);
	say("signal without waiters: %s, broadcast: %s", name(pthread_cond_signal(&changed)), name(pthread_cond_broadcast(&changed)));
	say("destroy: %s after %d", name(pthread_cond_destroy(&changed)), after(5));
	return 0;
}
