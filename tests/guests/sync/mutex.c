/* Mutexes whose holder sleeps: lock, timedlock, clocklock, trylock; the kinds that count or check their owner. */
#include "guest.h"

static pthread_mutex_t lock;
static volatile bool held;

static void *holder(void *unused)
{
	MUST((errno = pthread_mutex_lock(&lock)) == 0);
	held = true;
	nap(3.3);
	MUST((errno = pthread_mutex_unlock(&lock)) == 0);
	return unused;
}

static int timed(double n)
{
	struct timespec deadline = in_units(CLOCK_REALTIME, n);
	return pthread_mutex_timedlock(&lock, &deadline);
}

static int clocked(clockid_t clock, double n)
{
	struct timespec deadline = in_units(clock, n);
	return pthread_mutex_clocklock(&lock, clock, &deadline);
}

static pthread_t hold(void)
{
	held = false;
	pthread_t t = thread(holder, NULL);
	while (!held)
		sched_yield();
	return t;
}

static void play(const char *what, int type, int protocol)
{
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, type);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	MUST((errno = pthread_mutex_init(&lock, &attributes)) == 0);
	say("--- %s", what);

	pthread_t other = hold();
	say("trylock: %s", name(pthread_mutex_trylock(&lock)));
	REPORT_ERROR(1, "timedlock", timed(1));
	REPORT_ERROR(1, "timedlock, the holder lets go", timed(50));
	say("unlock: %s", name(pthread_mutex_unlock(&lock)));
	join(other);
	other = hold();
	REPORT_ERROR(1, "clocklock, realtime", clocked(CLOCK_REALTIME, 1));
	/* Priority inheritance knows only the realtime clock in glibc of some years. */
	if (protocol == PTHREAD_PRIO_NONE)
		REPORT_ERROR(1, "clocklock, monotonic", clocked(CLOCK_MONOTONIC, 1));
	REPORT_ERROR(0, "past", timed(-1));
	REPORT_ERROR(1, "lock", pthread_mutex_lock(&lock));
	if (type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK) {
		say("lock again: %s", name(pthread_mutex_lock(&lock)));
		say("timedlock again: %s", name(timed(1)));
		say("unlock: %s", name(pthread_mutex_unlock(&lock)));
		say("unlock: %s", name(pthread_mutex_unlock(&lock)));
		if (type == PTHREAD_MUTEX_RECURSIVE)
			say("unlock: %s", name(pthread_mutex_unlock(&lock)));
		say("unlock, not mine: %s", name(pthread_mutex_unlock(&lock)));
	} else {
		say("unlock: %s", name(pthread_mutex_unlock(&lock)));
	}
	join(other);

	struct timespec bad = { 1, 1000000000 };
	say("a bad time, but free: %s", name(pthread_mutex_timedlock(&lock, &bad)));
	pthread_mutex_unlock(&lock);
	other = hold();
/* Musl asks the kernel again and again then. */
#ifdef MUSL_H
	if (protocol == PTHREAD_PRIO_NONE)
#endif
		say("a bad time: %s", name(pthread_mutex_timedlock(&lock, &bad)));
	struct timespec later = in_units(CLOCK_BOOTTIME, 1);
	say("another clock: %s", name(pthread_mutex_clocklock(&lock, CLOCK_BOOTTIME, &later)));
	join(other);
	say("destroy: %s", name(pthread_mutex_destroy(&lock)));
}

int main(void)
{
	play("normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE);
	play("recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
	play("errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
	play("adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE);
	play("priority inheritance", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT);
	return 0;
}
