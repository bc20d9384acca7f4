/* Loops of waits that are over before they begin, because the instant that they wait until has come. */
#include "guest.h"
#include <linux/futex.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>

static volatile int done;

static void *sleeper(void *unused)
{
	nap(1.3);
	done = 1;
	return unused;
}

#define UNTIL_DONE(what, wait) \
	do { \
		start(); \
		done = 0; \
		pthread_t t = thread(sleeper, NULL); \
		while (!done) \
			wait; \
		say(what ": after %d", after(1.3)); \
		join(t); \
	} while (0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void waits(pthread_cond_t *cond, const struct timespec *until)
{
	pthread_mutex_lock(&mutex);
	MUST(pthread_cond_clockwait(cond, &mutex, CLOCK_MONOTONIC, until) == ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

int main(void)
{
	struct timespec past = { 1, 0 }, zero = { 0, 0 };
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER, shared;
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared, &attributes);
	sem_t sem;
	sem_init(&sem, 0, 0);
	int word = 0;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	UNTIL_DONE("pthread_cond_clockwait", waits(&cond, &past));
	UNTIL_DONE("a shared one", waits(&shared, &past));
	UNTIL_DONE("sem_timedwait", MUST(sem_timedwait(&sem, &past) != 0));
	UNTIL_DONE("futex", MUST(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &zero, NULL, 0) != 0));
	UNTIL_DONE("clock_nanosleep", MUST(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) == 0));
	UNTIL_DONE("sigtimedwait", MUST(sigtimedwait(&set, NULL, &zero) < 0));

	/* Some runtimes sleep until an instant and then want the clock to be past it. */
	start();
	struct timespec until = in_units(CLOCK_MONOTONIC, 1.3);
	while (now_on(CLOCK_MONOTONIC) <= until.tv_sec * SECOND + until.tv_nsec)
		waits(&cond, &until);
	say("later than the end of a wait: after %d", after(1.3));
	return 0;
}
