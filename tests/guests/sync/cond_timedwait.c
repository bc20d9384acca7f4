/* pthread_cond_timedwait and _clockwait: the clock is the attribute's or the argument's; invalid times; mutex held afterwards. */
#include "guest.h"

static pthread_mutex_t lock;
static pthread_cond_t initialised, monotonic, statically = PTHREAD_COND_INITIALIZER;

static int timed(pthread_cond_t *cond, clockid_t clock, double n)
{
	struct timespec deadline = in_units(clock, n);
	return pthread_cond_timedwait(cond, &lock, &deadline);
}

static int clocked(pthread_cond_t *cond, clockid_t clock, double n)
{
	struct timespec deadline = in_units(clock, n);
	return pthread_cond_clockwait(cond, &lock, clock, &deadline);
}

static void *signaller(void *cond)
{
	nap(1.3);
	pthread_mutex_lock(&lock);
	pthread_cond_signal(cond);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Where the signal came too late, because the machine is busy, it still needs the mutex. */
static void join_unlocked(pthread_t other)
{
	pthread_mutex_unlock(&lock);
	join(other);
	pthread_mutex_lock(&lock);
}

int main(void)
{
	pthread_mutexattr_t checking;
	pthread_mutexattr_init(&checking);
	pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&lock, &checking);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	say("setclock: %s", name(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)));
	pthread_cond_init(&monotonic, &attributes);
	pthread_cond_init(&initialised, NULL);

	pthread_mutex_lock(&lock);
	REPORT_ERROR(2, "static, realtime", timed(&statically, CLOCK_REALTIME, 2));
	REPORT_ERROR(2, "initialised, realtime", timed(&initialised, CLOCK_REALTIME, 2));
	REPORT_ERROR(2, "monotonic", timed(&monotonic, CLOCK_MONOTONIC, 2));
	/* A monotonic deadline is long past on the realtime clock; the other way round it would be far ahead. */
	REPORT_ERROR(0, "static, wrong clock", timed(&statically, CLOCK_MONOTONIC, 2));
/* There a condition has the one clock. */
#ifndef MUSL_H
	REPORT_ERROR(2, "clockwait realtime on monotonic", clocked(&monotonic, CLOCK_REALTIME, 2));
#endif
	REPORT_ERROR(2, "clockwait monotonic on static", clocked(&statically, CLOCK_MONOTONIC, 2));
	REPORT_ERROR(0, "past", timed(&monotonic, CLOCK_MONOTONIC, -1));
	say("the mutex is held: %s", name(pthread_mutex_lock(&lock)));

	struct timespec bad[] = { { 1, 1000000000 }, { 1, -1 }, { INT64_MAX, 1000000000 } };
	for (int i = 0; i < 3; i++)
		say("bad %d: %s, %s", i, name(pthread_cond_timedwait(&statically, &lock, &bad[i])),
		    name(pthread_cond_clockwait(&statically, &lock, CLOCK_MONOTONIC, &bad[i])));
	struct timespec negative = { -1, 0 };
	say("negative seconds: %s", name(pthread_cond_timedwait(&statically, &lock, &negative)));
	struct timespec later = in_units(CLOCK_MONOTONIC, 1);
	say("other clocks: %s %s %s", name(pthread_cond_clockwait(&statically, &lock, CLOCK_BOOTTIME, &later)),
	    name(pthread_cond_clockwait(&statically, &lock, CLOCK_MONOTONIC_RAW, &later)),
	    name(pthread_cond_clockwait(&statically, &lock, 77, &later)));
	say("the mutex is still held: %s", name(pthread_mutex_lock(&lock)));

	pthread_t other = thread(signaller, &monotonic);
	REPORT_ERROR(1, "signalled in time", timed(&monotonic, CLOCK_MONOTONIC, 5));
	join_unlocked(other);
	other = thread(signaller, &statically);
	REPORT_ERROR(1, "signalled, clockwait", clocked(&statically, CLOCK_MONOTONIC, 5));
	join_unlocked(other);
	other = thread(signaller, &monotonic);
	struct timespec never = { INT64_MAX, 0 };
	REPORT_ERROR(1, "signalled, no end", pthread_cond_timedwait(&monotonic, &lock, &never));
	join_unlocked(other);
	say("unlock: %s", name(pthread_mutex_unlock(&lock)));
	return 0;
}
