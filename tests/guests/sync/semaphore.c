/* Unnamed semaphores: values, waits, time-outs and every error. */
#include "guest.h"
#include <limits.h>
#include <semaphore.h>

static sem_t sem;

static int value(void)
{
	GUARDED(int) v;
	guard(&v);
	MUST(sem_getvalue(&sem, &v.value) == 0 && guard_ok(&v));
	return v.value;
}

static int timed(double n)
{
	struct timespec deadline = in_units(CLOCK_REALTIME, n);
	return sem_timedwait(&sem, &deadline);
}

static int clocked(clockid_t clock, double n)
{
	struct timespec deadline = in_units(clock, n);
	return sem_clockwait(&sem, clock, &deadline);
}

static void *poster(void *unused)
{
	nap(1.3);
	MUST(sem_post(&sem) == 0);
	return unused;
}

int main(void)
{
	say("init too large: %s", RESULT(sem_init(&sem, 0, (unsigned)INT_MAX + 1)));
	say("init: %s", RESULT(sem_init(&sem, 0, 2)));
	say("value %d", value());
	say("wait: %s", RESULT(sem_wait(&sem)));
	say("trywait: %s", RESULT(sem_trywait(&sem)));
	say("trywait: %s", RESULT(sem_trywait(&sem)));
	say("value %d", value());

	pthread_t other = thread(poster, NULL);
	REPORT(1, "wait", sem_wait(&sem));
	join(other);
	other = thread(poster, NULL);
	REPORT(1, "timedwait, posted", timed(5));
	join(other);
	other = thread(poster, NULL);
	REPORT(1, "clockwait, posted", clocked(CLOCK_MONOTONIC, 5));
	join(other);
	say("value %d", value());

	REPORT(2, "timedwait", timed(2));
	REPORT(2, "clockwait, monotonic", clocked(CLOCK_MONOTONIC, 2));
	REPORT(2, "clockwait, realtime", clocked(CLOCK_REALTIME, 2));
	REPORT(0, "past", timed(-1));
	say("clockwait, other clock: %s", RESULT(clocked(CLOCK_BOOTTIME, 1)));
	struct timespec bad = { 1, 1000000000 }, worse = { 1, -1 };
	say("bad times: %s", RESULT(sem_timedwait(&sem, &bad)));
	say("bad times: %s", RESULT(sem_timedwait(&sem, &worse)));
	say("bad times: %s", RESULT(sem_clockwait(&sem, CLOCK_MONOTONIC, &bad)));
	say("value %d", value());

	/* The deadline is looked at only when there is something to wait for; its fields are checked always. */
	MUST(sem_post(&sem) == 0);
	REPORT(0, "past, but there is one", timed(-1));
	MUST(sem_post(&sem) == 0);
	say("bad times, but there is one: %s", RESULT(sem_timedwait(&sem, &bad)));
	say("value %d", value());
	MUST(sem_destroy(&sem) == 0);
	MUST(sem_init(&sem, 0, INT_MAX) == 0);
	say("overflow: %s", RESULT(sem_post(&sem)));
	say("value kept: %d", value() == INT_MAX);
	return 0;
}
