/* Cancellation of the synchronisation family: a condition's mutex is held in the cleanup handler, no token is lost. */
#include "cancel/points.h"
#include <semaphore.h>
#include <threads.h>

static pthread_mutex_t lock;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static mtx_t c11_lock;
static cnd_t c11_cond;
static sem_t semaphore;
static pthread_t endless;

static void *sleeps(void *unused)
{
	nap(100000);
	return unused;
}

static void by_cond_wait(void)
{
	pthread_mutex_lock(&lock);
	pthread_cond_wait(&cond, &lock);
}

static void by_cond_timedwait(void)
{
	struct timespec t = in_units(CLOCK_REALTIME, 99);
	pthread_mutex_lock(&lock);
	pthread_cond_timedwait(&cond, &lock, &t);
}

static void by_cond_clockwait(void)
{
	struct timespec t = in_units(CLOCK_MONOTONIC, 99);
	pthread_mutex_lock(&lock);
	pthread_cond_clockwait(&cond, &lock, CLOCK_MONOTONIC, &t);
}

static void unlock(void)
{
	/* The kind that checks: it is an error when the mutex is not ours. */
	MUST((errno = pthread_mutex_unlock(&lock)) == 0);
}

static void by_cnd_wait(void)
{
	mtx_lock(&c11_lock);
	cnd_wait(&c11_cond, &c11_lock);
}

static void by_cnd_timedwait(void)
{
	struct timespec t = in_units(CLOCK_REALTIME, 99);
	mtx_lock(&c11_lock);
	cnd_timedwait(&c11_cond, &c11_lock, &t);
}

static void c11_unlock(void)
{
	mtx_unlock(&c11_lock);
}

static void by_sem_wait(void) { sem_wait(&semaphore); }
static void by_sem_timedwait(void) { struct timespec t = in_units(CLOCK_REALTIME, 99); sem_timedwait(&semaphore, &t); }
static void by_sem_clockwait(void) { struct timespec t = in_units(CLOCK_MONOTONIC, 99); sem_clockwait(&semaphore, CLOCK_MONOTONIC, &t); }
static void by_join(void) { pthread_join(endless, NULL); }
static void by_timedjoin(void) { struct timespec t = in_units(CLOCK_REALTIME, 99); pthread_timedjoin_np(endless, NULL, &t); }
static void by_clockjoin(void) { struct timespec t = in_units(CLOCK_MONOTONIC, 99); pthread_clockjoin_np(endless, NULL, CLOCK_MONOTONIC, &t); }

int main(void)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&lock, &attributes);
	mtx_init(&c11_lock, mtx_plain);
	cnd_init(&c11_cond);
	MUST(sem_init(&semaphore, 0, 0) == 0);
	endless = thread(sleeps, NULL);
	struct point points[] = {
		{ "pthread_cond_wait", by_cond_wait, unlock },
		{ "pthread_cond_timedwait", by_cond_timedwait, unlock },
		{ "pthread_cond_clockwait", by_cond_clockwait, unlock },
		{ "cnd_wait", by_cnd_wait, c11_unlock },
		{ "cnd_timedwait", by_cnd_timedwait, c11_unlock },
		{ "sem_wait", by_sem_wait, NULL },
		{ "sem_timedwait", by_sem_timedwait, NULL },
		{ "sem_clockwait", by_sem_clockwait, NULL },
		{ "pthread_join", by_join, NULL },
		{ "pthread_timedjoin_np", by_timedjoin, NULL },
		{ "pthread_clockjoin_np", by_clockjoin, NULL },
	};
	TRY(points);

	/* Nothing is left behind: the semaphore gives what is posted, the condition wakes who waits now, the thread can be joined. */
	int value;
	MUST(sem_post(&semaphore) == 0 && sem_getvalue(&semaphore, &value) == 0);
	say("value %d", value);
	REPORT(0, "sem_wait", sem_wait(&semaphore));
	struct timespec t = in_units(CLOCK_REALTIME, 1);
	say("lock: %s", name(pthread_mutex_lock(&lock)));
	say("timedwait: %s", name(pthread_cond_timedwait(&cond, &lock, &t)));
	say("unlock: %s", name(pthread_mutex_unlock(&lock)));
	say("destroy: %s", name(pthread_cond_destroy(&cond)));
	pthread_cancel(endless);
	say("joined: %d", join(endless) == PTHREAD_CANCELED);
	return 0;
}
