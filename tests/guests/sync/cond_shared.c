/* A process-shared condition and mutex in shared memory: three children wait, the parent wakes one and then the others. */
#include "guest.h"

struct board {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	int waiting, tokens, woken;
};

static int child(struct board *b)
{
	pthread_mutex_lock(&b->lock);
	b->waiting++;
	while (b->tokens == 0)
		if (pthread_cond_wait(&b->cond, &b->lock) != 0)
			return 1;
	b->tokens--;
	b->woken++;
	pthread_mutex_unlock(&b->lock);
	return 0;
}

static void wake(struct board *b, int n)
{
	pthread_mutex_lock(&b->lock);
	b->tokens += n;
	if (n == 1)
		pthread_cond_signal(&b->cond);
	else
		pthread_cond_broadcast(&b->cond);
	pthread_mutex_unlock(&b->lock);
	nap(1);
	say("woken %d", b->woken);
}

int main(void)
{
	struct board *b = shared(sizeof *b);
	pthread_mutexattr_t mutex;
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&b->lock, &mutex);
	pthread_condattr_t cond;
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setclock(&cond, CLOCK_MONOTONIC);
	pthread_cond_init(&b->cond, &cond);

	pid_t children[3];
	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		MUST(children[i] >= 0);
		if (children[i] == 0)
			_exit(child(b));
	}
	start();
	nap(1);
	say("waiting %d", b->waiting);
	wake(b, 1);
	wake(b, 2);
	for (int i = 0; i < 3; i++)
		say("child: %d", reap(children[i]));
	say("after %d", after(3));

	/* With a deadline: a child lets it pass, then one is woken by the parent before it. */
	for (int round = 0; round < 2; round++) {
		pid_t pid = fork();
		MUST(pid >= 0);
		if (pid == 0) {
			start();
			struct timespec deadline = in_units(CLOCK_MONOTONIC, 3.5);
			pthread_mutex_lock(&b->lock);
			int error = pthread_cond_timedwait(&b->cond, &b->lock, &deadline);
			say("child: %s after %d", name(error), after(round == 0 ? 3.5 : 1));
			pthread_mutex_unlock(&b->lock);
			_exit(0);
		}
		nap(1.5);
		int error = round == 1 ? pthread_cond_signal(&b->cond) : 0;
		reap(pid);
		say("signal: %s", name(error));
	}
	return 0;
}
