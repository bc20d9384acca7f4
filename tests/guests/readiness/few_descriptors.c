/* Waits with a time-out in a process that may open no descriptor more, or as many as poll is given; and in the destructors of
 * thread-specific data. Another thread is in the kernel all the time. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>

static int idle[2], pipes[2], instance;

static void *reader(void *unused)
{
	char byte;
	MUST(read(idle[0], &byte, 1) == 1);
	return unused;
}

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

static void descriptors(rlim_t n)
{
	struct rlimit limit;
	MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = n;
	MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int wait_by(int call, double n)
{
	struct pollfd p = { .fd = pipes[0], .events = POLLIN };
	struct timespec t = as_timespec(units(n));
	struct timeval v = as_timeval(units(n));
	struct epoll_event event;
	sigset_t usr2;
	fd_set in;
	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	switch (call) {
	case 0: return poll(&p, 1, ms(n));
	case 1: return ppoll(&p, 1, &t, NULL);
	case 2: return select(pipes[0] + 1, &in, NULL, NULL, &v);
	case 3: return pselect(pipes[0] + 1, &in, NULL, NULL, &t, NULL);
	case 4: return epoll_wait(instance, &event, 1, ms(n));
	default: return sigtimedwait(&usr2, NULL, &t);
	}
}

static void wait_in_all(void)
{
	static const char *const calls[] = { "poll", "ppoll", "select", "pselect", "epoll_wait", "sigtimedwait" };
	for (int call = 0; call < 6; call++) {
		REPORT(2, calls[call], wait_by(call, 2));
		if (call == 5)
			break;
		pthread_t other = thread(writer, NULL);
		REPORT(1, calls[call], wait_by(call, 5));
		join(other);
		char byte;
		MUST(read(pipes[0], &byte, 1) == 1);
	}
}

static void nothing(int number)
{
	(void)number;
}

static void *interrupts(void *whom)
{
	nap(1.3);
	MUST(pthread_kill(*(pthread_t *)whom, SIGUSR1) == 0);
	return NULL;
}

static void interrupted(void)
{
	pthread_t me = pthread_self();
	on_signal(SIGUSR1, nothing, 0);
	for (int call = 0; call < 3; call++) {
		pthread_t other = thread(interrupts, &me);
		REPORT(1, "interrupted", wait_by(call, 5));
		join(other);
	}
}

static pthread_key_t key;

static void at_end(void *unused)
{
	(void)unused;
	REPORT(1, "destructor", poll(NULL, 0, ms(1)));
}

static void *ends(void *unused)
{
	MUST(pthread_setspecific(key, &key) == 0);
	return unused;
}

int main(void)
{
	MUST(pipe(idle) == 0 && pipe(pipes) == 0);
	instance = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	MUST(epoll_ctl(instance, EPOLL_CTL_ADD, pipes[0], &event) == 0);
	sigset_t usr2;
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &usr2, NULL) == 0);
	pthread_t in_kernel = thread(reader, NULL);
	nap(1);

	MUST(pthread_key_create(&key, at_end) == 0);
	for (int i = 0; i < 3; i++)
		join(thread(ends, NULL));
	int open = 0;
	for (int fd = 0; fd < 2000; fd++)
		open += fcntl(fd, F_GETFD) >= 0;
	say("open: %d", open);

	descriptors(3);
	wait_in_all();
	interrupted();

	descriptors(64);
	struct pollfd many[65];
	for (int i = 0; i < 65; i++)
		many[i] = (struct pollfd){ .fd = -1 };
	REPORT(2, "as many as allowed", poll(many, 64, ms(2)));
	say("one more: %s", RESULT(poll(many, 65, 0)));
	wait_in_all();
	MUST(write(idle[1], "x", 1) == 1);
	join(in_kernel);
	return 0;
}
