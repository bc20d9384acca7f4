/* eventfd(2): read waits for a value, write waits for room; also as a semaphore, and through eventfd_read. */
#include "guest.h"
#include <sys/eventfd.h>

static int fd;

static void *adder(void *times)
{
	for (intptr_t i = 0; i < (intptr_t)times; i++) {
		nap(1.3);
		MUST(eventfd_write(fd, 3) == 0);
	}
	return NULL;
}

static void *taker(void *unused)
{
	eventfd_t value;
	nap(1.3);
	MUST(read(fd, &value, sizeof value) == sizeof value);
	return unused;
}

int main(void)
{
	GUARDED(eventfd_t) value;
	guard(&value);
	fd = eventfd(0, EFD_CLOEXEC);
	pthread_t other = thread(adder, (void *)2);
	REPORT(1, "read", read(fd, &value.value, sizeof value.value));
	say("value %llu, guards %d", (unsigned long long)value.value, guard_ok(&value));
	REPORT(1, "eventfd_read", eventfd_read(fd, &value.value));
	join(other);
	say("too short: %s", RESULT(read(fd, &value.value, 4)));

	MUST(eventfd_write(fd, UINT64_MAX - 2) == 0);
	other = thread(taker, NULL);
	uint64_t two = 2;
	REPORT(1, "write", write(fd, &two, sizeof two));
	join(other);
	close(fd);

	fd = eventfd(0, EFD_SEMAPHORE);
	other = thread(adder, (void *)2);
	for (int i = 0; i < 6; i++) {
		REPORT(i % 3 == 0, "semaphore", eventfd_read(fd, &value.value));
		MUST(value.value == 1);
	}
	join(other);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		adder((void *)1);
		_exit(0);
	}
	REPORT(1, "from a process", eventfd_read(fd, &value.value));
	say("child %d", reap(child));
	return 0;
}
