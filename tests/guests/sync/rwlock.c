/* Read-write locks: readers share, a writer waits for sleeping readers and the other way round; all timed forms. */
#include "guest.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static volatile int holding;

static void *reader(void *unused)
{
	pthread_rwlock_rdlock(&lock);
	__atomic_add_fetch(&holding, 1, __ATOMIC_SEQ_CST);
	nap(3.3);
	pthread_rwlock_unlock(&lock);
	return unused;
}

static void *writer(void *unused)
{
	pthread_rwlock_wrlock(&lock);
	__atomic_add_fetch(&holding, 1, __ATOMIC_SEQ_CST);
	nap(4.3);
	pthread_rwlock_unlock(&lock);
	return unused;
}

static void wait_for(int n)
{
	while (holding < n)
		sched_yield();
	holding = 0;
}

#define TIMED(call, clock, n, ...) ({ \
	struct timespec deadline = in_units(clock, n); \
	call(&lock, ##__VA_ARGS__, &deadline); \
})

int main(void)
{
	pthread_t a = thread(reader, NULL), b = thread(reader, NULL);
	wait_for(2);
	say("two readers; a third by try: %s", name(pthread_rwlock_tryrdlock(&lock)));
	say("unlock: %s", name(pthread_rwlock_unlock(&lock)));
	say("trywrlock: %s", name(pthread_rwlock_trywrlock(&lock)));
	REPORT_ERROR(1, "timedwrlock", TIMED(pthread_rwlock_timedwrlock, CLOCK_REALTIME, 1));
	REPORT_ERROR(1, "clockwrlock", TIMED(pthread_rwlock_clockwrlock, CLOCK_MONOTONIC, 1, CLOCK_MONOTONIC));
	REPORT_ERROR(0, "timedrdlock among readers", TIMED(pthread_rwlock_timedrdlock, CLOCK_REALTIME, 1));
	say("unlock: %s", name(pthread_rwlock_unlock(&lock)));
	REPORT_ERROR(1, "wrlock", pthread_rwlock_wrlock(&lock));
/* With musl that is a wait for ever. */
#ifndef MUSL_H
	say("wrlock again: %s, rdlock: %s", name(pthread_rwlock_wrlock(&lock)), name(pthread_rwlock_rdlock(&lock)));
#endif
	say("unlock: %s", name(pthread_rwlock_unlock(&lock)));
	join(a);
	join(b);

	a = thread(writer, NULL);
	wait_for(1);
	say("a writer; tryrdlock: %s, trywrlock: %s", name(pthread_rwlock_tryrdlock(&lock)), name(pthread_rwlock_trywrlock(&lock)));
	REPORT_ERROR(1, "timedrdlock", TIMED(pthread_rwlock_timedrdlock, CLOCK_REALTIME, 1));
	REPORT_ERROR(1, "clockrdlock", TIMED(pthread_rwlock_clockrdlock, CLOCK_MONOTONIC, 1, CLOCK_MONOTONIC));
	REPORT_ERROR(1, "clockrdlock, realtime", TIMED(pthread_rwlock_clockrdlock, CLOCK_REALTIME, 1, CLOCK_REALTIME));
	REPORT_ERROR(0, "past", TIMED(pthread_rwlock_timedrdlock, CLOCK_REALTIME, -1));
	struct timespec bad = { 1, 1000000000 }, later = in_units(CLOCK_BOOTTIME, 1);
	say("bad times: %s %s", name(pthread_rwlock_timedrdlock(&lock, &bad)), name(pthread_rwlock_timedwrlock(&lock, &bad)));
	say("another clock: %s", name(pthread_rwlock_clockrdlock(&lock, CLOCK_BOOTTIME, &later)));
	REPORT_ERROR(1, "rdlock", pthread_rwlock_rdlock(&lock));
	say("unlock: %s", name(pthread_rwlock_unlock(&lock)));
	join(a);
	say("destroy: %s", name(pthread_rwlock_destroy(&lock)));
	return 0;
}
