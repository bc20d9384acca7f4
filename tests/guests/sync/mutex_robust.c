/* Robust mutexes: the next one learns that the owner died, be it a thread that ended or a process that was killed. */
#include "guest.h"

static pthread_mutex_t *lock;

static void *owner(void *unused)
{
	pthread_mutex_lock(lock);
	nap(2.3);
	return unused;
}

static int timed(double n)
{
	struct timespec deadline = in_units(CLOCK_REALTIME, n);
	return pthread_mutex_timedlock(lock, &deadline);
}

int main(void)
{
	lock = shared(sizeof *lock);
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	MUST(pthread_mutex_init(lock, &attributes) == 0);

	start();
	pthread_t other = thread(owner, NULL);
	nap(0.5);
	say("timedlock, the owner lives: %s", name(timed(1)));
	say("lock, the owner ends: %s", name(pthread_mutex_lock(lock)));
	say("after %d", after(2));
	join(other);
	say("consistent: %s", name(pthread_mutex_consistent(lock)));
	say("unlock: %s", name(pthread_mutex_unlock(lock)));

	/* A process that is killed while it sleeps with the mutex. */
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		pthread_mutex_lock(lock);
		nap(1000);
		_exit(0);
	}
	nap(1);
	say("trylock: %s", name(pthread_mutex_trylock(lock)));
	pid_t killer = fork();
	MUST(killer >= 0);
	if (killer == 0) {
		nap(1.3);
		kill(child, SIGKILL);
		_exit(0);
	}
	say("lock, the owner is killed: %s", name(pthread_mutex_lock(lock)));
	say("after %d", after(2));
	say("child: %d, killer: %d", reap(child), reap(killer));

	/* Unlocked without being made consistent it can never be used again. */
	say("unlock: %s", name(pthread_mutex_unlock(lock)));
	say("lock: %s", name(pthread_mutex_lock(lock)));
	return 0;
}
