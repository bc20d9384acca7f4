/* syscall(SYS_futex): waits with and without a time-out, relative and absolute, on both clocks; wake, bitset, requeue. */
#include "guest.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

static uint32_t word, second;
static pthread_t waiter;

static long futex(uint32_t *address, int operation, uint32_t value, const struct timespec *timeout, uint32_t *other, uint32_t bits)
{
	return syscall(SYS_futex, address, operation, value, timeout, other, bits);
}

static void *waker(void *argument)
{
	intptr_t bits = (intptr_t)argument;
	nap(1.3);
	if (bits == 0)
		return (void *)futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	/* Nobody waits for the other bits. */
	MUST(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, ~bits) == 0);
	return (void *)futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, bits);
}

static void *blocked(void *unused)
{
	futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return unused;
}

static void nothing(int number)
{
	(void)number;
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

int main(void)
{
	struct timespec two = as_timespec(units(2)), zero = { 0, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 }, t;
	REPORT(2, "wait", futex(&word, FUTEX_WAIT_PRIVATE, 0, &two, NULL, 0));
	REPORT(2, "wait, not private", futex(&word, FUTEX_WAIT, 0, &two, NULL, 0));
	REPORT(0, "wait, other value", futex(&word, FUTEX_WAIT_PRIVATE, 1, &two, NULL, 0));
	REPORT(0, "wait, no time", futex(&word, FUTEX_WAIT_PRIVATE, 0, &zero, NULL, 0));
	REPORT(2, "bitset, monotonic", (t = in_units(CLOCK_MONOTONIC, 2), futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0u)));
	REPORT(2, "bitset, realtime", (t = in_units(CLOCK_REALTIME, 2),
	       futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &t, NULL, ~0u)));
	REPORT(0, "bitset, past", (t = in_units(CLOCK_MONOTONIC, -1), futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0u)));
	say("bad times: %s %s", RESULT(futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0)),
	    RESULT(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &bad, NULL, ~0u)));
	say("negative: %s", RESULT(futex(&word, FUTEX_WAIT_PRIVATE, 0, &negative, NULL, 0)));
	say("no bits: %s", RESULT(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &two, NULL, 0)));
	say("odd address: %s", RESULT(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT_PRIVATE, 0, &two, NULL, 0)));
	say("no memory: %s", RESULT(futex(NULL, FUTEX_WAIT_PRIVATE, 0, &two, NULL, 0)));
	say("no such operation: %s", RESULT(futex(&word, 99, 0, &two, NULL, 0)));
	say("wake, nobody: %s", RESULT(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0)));

	pthread_t other = thread(waker, NULL);
	REPORT(1, "woken", futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	say("wake: %ld", (long)join(other));
	other = thread(waker, (void *)4);
	REPORT(1, "woken by a bit", futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 4));
	say("wake: %ld", (long)join(other));
	other = thread(waker, NULL);
	REPORT(1, "woken in time", (t = as_timespec(units(5)), futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0)));
	join(other);

	waiter = pthread_self();
	on_signal(SIGUSR1, nothing, 0);
	other = thread(sender, NULL);
	REPORT(1, "interrupted", futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	join(other);

	/* Three wait for one word; one is woken and the others moved to the second word. */
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		threads[i] = thread(blocked, NULL);
	nap(1);
	say("requeue: %s", RESULT(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)(intptr_t)INT_MAX, &second, 0)));
	say("on the first: %s", RESULT(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0)));
	say("on the second: %s", RESULT(futex(&second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0)));
	for (int i = 0; i < 3; i++)
		join(threads[i]);

	/* Between processes. */
	uint32_t *common = shared(sizeof *common);
	start();
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(1.3);
		*common = 1;
		_exit(futex(common, FUTEX_WAKE, 1, NULL, NULL, 0));
	}
	say("shared: %s", RESULT(futex(common, FUTEX_WAIT, 0, NULL, NULL, 0)));
	say("after %d, value %u, woken by the child: %d", after(1), *common, reap(child));
	return 0;
}
