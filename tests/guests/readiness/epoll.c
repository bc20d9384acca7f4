/* epoll_wait(2): time-outs; level, edge and one-shot; a nested instance; errors. */
#include "guest.h"
#include <sys/epoll.h>

static int pipes[2], instance;

static void *writer(void *argument)
{
	int times = (int)(intptr_t)argument;
	for (int i = 0; i < times; i++) {
		nap(1.3);
		MUST(write(pipes[1], "x", 1) == 1);
	}
	return NULL;
}

static void control(int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = 0x123456789abcdef };
	MUST(epoll_ctl(instance, operation, pipes[0], &event) == 0);
}

static void drain(void)
{
	char bytes[16];
	MUST(read(pipes[0], bytes, sizeof bytes) > 0);
}

int main(void)
{
	MUST(pipe(pipes) == 0);
	instance = epoll_create1(EPOLL_CLOEXEC);
	GUARDED(struct epoll_event) g;
	guard(&g);
	struct epoll_event *event = &g.value;
	REPORT(2, "empty instance", epoll_wait(instance, event, 1, ms(2)));
	control(EPOLL_CTL_ADD, EPOLLIN);
	REPORT(0, "no time", epoll_wait(instance, event, 1, 0));
	REPORT(2, "two units", epoll_wait(instance, event, 1, ms(2)));
	say("untouched %d", guard_untouched(&g));

	pthread_t other = thread(writer, (void *)1);
	REPORT(1, "infinite", epoll_wait(instance, event, 1, -1));
	say("events %x, data %llx, guards %d", event->events, (unsigned long long)event->data.u64, guard_ok(&g));
	join(other);
	REPORT(0, "level: still there", epoll_wait(instance, event, 1, -1));
	drain();
	REPORT(1, "level: gone", epoll_wait(instance, event, 1, ms(1)));

	control(EPOLL_CTL_MOD, EPOLLIN | EPOLLET);
	other = thread(writer, (void *)2);
	REPORT(1, "edge: first", epoll_wait(instance, event, 1, ms(10)));
	REPORT(1, "edge: second, without reading", epoll_wait(instance, event, 1, ms(10)));
	REPORT(1, "edge: nothing new", epoll_wait(instance, event, 1, ms(1)));
	join(other);
	drain();

	control(EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
	other = thread(writer, (void *)2);
	REPORT(1, "one-shot", epoll_wait(instance, event, 1, ms(10)));
	REPORT(3, "one-shot: disarmed", epoll_wait(instance, event, 1, ms(3)));
	control(EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
	REPORT(0, "one-shot: armed again", epoll_wait(instance, event, 1, ms(3)));
	join(other);
	drain();
	control(EPOLL_CTL_MOD, EPOLLIN);

	/* An instance in a set of another, and in poll's. */
	int outer = epoll_create(1);
	struct epoll_event nested = { .events = EPOLLIN };
	MUST(epoll_ctl(outer, EPOLL_CTL_ADD, instance, &nested) == 0);
	REPORT(1, "nested: nothing", epoll_wait(outer, event, 1, ms(1)));
	other = thread(writer, (void *)1);
	REPORT(1, "nested", epoll_wait(outer, event, 1, -1));
	join(other);
	drain();
	other = thread(writer, (void *)1);
	struct pollfd p = { .fd = instance, .events = POLLIN };
	REPORT(1, "polled", poll(&p, 1, -1));
	join(other);

	REPORT(0, "no room", epoll_wait(instance, event, 0, ms(5)));
	volatile int less = -1;
	REPORT(0, "less than none", epoll_wait(instance, event, less, ms(5)));
	REPORT(0, "not an instance", epoll_wait(pipes[0], event, 1, ms(5)));
	REPORT(0, "not open", epoll_wait(900, event, 1, ms(5)));
	return 0;
}
