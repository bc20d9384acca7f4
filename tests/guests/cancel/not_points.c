/* Mutexes, read-write locks, barriers and flock are no cancellation points; nothing is while cancellation is disabled. */
#include "guest.h"
#include <sys/file.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static char path[] = "/tmp/guest-flock-XXXXXX";
static int held;
static const char *const names[] = {
	"mutex",
	"mutex with an end",
	"reading",
	"writing",
	"barrier",
	"flock",
	"disabled sleep",
/* Musl lets a cancellation end it all the same. */
#ifndef MUSL_H
	"disabled poll",
#endif
};

static void *body(void *row)
{
	int state, fd;
	struct timespec t = in_units(CLOCK_REALTIME, 50);
	if ((intptr_t)row >= 6)
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	start();
	switch ((intptr_t)row) {
	case 0: pthread_mutex_lock(&mutex); pthread_mutex_unlock(&mutex); break;
	case 1: pthread_mutex_timedlock(&mutex, &t); pthread_mutex_unlock(&mutex); break;
	case 2: pthread_rwlock_rdlock(&rwlock); pthread_rwlock_unlock(&rwlock); break;
	case 3: pthread_rwlock_wrlock(&rwlock); pthread_rwlock_unlock(&rwlock); break;
	case 4: pthread_barrier_wait(&barrier); break;
	case 5: fd = held + 1; flock(fd, LOCK_EX); flock(fd, LOCK_UN); break;
	case 6: nap(2.3); break;
	case 7: poll(NULL, 0, ms(2.3)); break;
	}
	/* Not said from here: say() writes, and write is a cancellation point. */
	int elapsed = after(2);
	if ((intptr_t)row >= 6)
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	say("%s: back after %d", names[(intptr_t)row], elapsed);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	pthread_testcancel();
	say("FAIL not cancelled");
	return NULL;
}

static void *async(void *unused)
{
	int type;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	nap(100);
	return unused;
}

static void *oneself(void *unused)
{
	pthread_cancel(pthread_self());
	nap(100);
	return unused;
}

int main(void)
{
	MUST((held = mkstemp(path)) >= 0);
	MUST(dup2(open(path, O_RDWR), held + 1) == held + 1);
	MUST(pthread_barrier_init(&barrier, NULL, 2) == 0);
	for (intptr_t row = 0; row < (intptr_t)(sizeof names / sizeof *names); row++) {
		pthread_mutex_lock(&mutex);
		pthread_rwlock_wrlock(&rwlock);
		flock(held, LOCK_EX);
		pthread_t t = thread(body, (void *)row);
		nap(1);
		pthread_cancel(t);
		nap(1.3);
		pthread_mutex_unlock(&mutex);
		pthread_rwlock_unlock(&rwlock);
		flock(held, LOCK_UN);
		if (row == 4)
			pthread_barrier_wait(&barrier);
		say("cancelled later: %d", join(t) == PTHREAD_CANCELED);
	}
	unlink(path);
	start();
	pthread_t t = thread(async, NULL);
	nap(1);
	pthread_cancel(t);
	bool cancelled = join(t) == PTHREAD_CANCELED;
	say("asynchronously: %d after %d", cancelled, after(1));
	start();
	cancelled = join(thread(oneself, NULL)) == PTHREAD_CANCELED;
	say("oneself: %d after %d", cancelled, after(0));
	return 0;
}
