/* epoll_pwait(2) and epoll_pwait2: masks, and a time-out in nanoseconds. */
#include "guest.h"
#include <sys/epoll.h>

static volatile sig_atomic_t handled;
static pthread_t waiter;
static int instance;
static struct epoll_event event;

static void handler(int number)
{
	(void)number;
	handled++;
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

/* Both calls by the same argument in units; less than 0 is without end. */
static int wait_for(bool second, double n, const sigset_t *mask)
{
	if (!second)
		return epoll_pwait(instance, &event, 1, n < 0 ? -1 : ms(n), mask);
	struct timespec t = as_timespec(n < 0 ? 0 : units(n));
	return epoll_pwait2(instance, &event, 1, n < 0 ? NULL : &t, mask);
}

int main(void)
{
	int pipes[2];
	MUST(pipe(pipes) == 0);
	instance = epoll_create1(0);
	struct epoll_event in = { .events = EPOLLIN };
	MUST(epoll_ctl(instance, EPOLL_CTL_ADD, pipes[0], &in) == 0);
	waiter = pthread_self();
	on_signal(SIGUSR1, handler, SA_RESTART);
	sigset_t usr1, none, all;
	sigemptyset(&none);
	sigfillset(&all);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);

	for (int second = 0; second < 2; second++) {
		say("--- %s", second ? "epoll_pwait2" : "epoll_pwait");
		handled = 0;
		REPORT(0, "no time", wait_for(second, 0, NULL));
		REPORT(2, "two units", wait_for(second, 2, NULL));
		pthread_t other = thread(sender, NULL);
		REPORT(1, "interrupted", wait_for(second, -1, NULL));
		say("handled %d", handled);
		join(other);
		other = thread(sender, NULL);
		REPORT(2, "kept out", wait_for(second, 2, &all));
		say("handled %d", handled);
		join(other);
		MUST(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
		other = thread(sender, NULL);
		REPORT(1, "let in", wait_for(second, -1, &none));
		say("handled %d", handled);
		join(other);
		raise(SIGUSR1);
		REPORT(0, "was pending", wait_for(second, 5, &none));
		say("handled %d", handled);
		MUST(sigprocmask(SIG_UNBLOCK, &usr1, NULL) == 0);
		MUST(write(pipes[1], "x", 1) == 1);
		REPORT(0, "data", wait_for(second, 5, NULL));
		char byte;
		MUST(read(pipes[0], &byte, 1) == 1);
	}
	struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 }, tiny = { 0, 1 };
	say("bad time: %s", RESULT(epoll_pwait2(instance, &event, 1, &bad, NULL)));
	say("negative: %s", RESULT(epoll_pwait2(instance, &event, 1, &negative, NULL)));
	say("one nanosecond: %s", RESULT(epoll_pwait2(instance, &event, 1, &tiny, NULL)));
	return 0;
}
