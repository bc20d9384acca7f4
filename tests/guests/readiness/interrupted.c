/* A handler ends every readiness call with EINTR, SA_RESTART or not (signal(7)); one that is ignored does not. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t handled;
static pthread_t waiter;
static int pipes[2], instance;

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

static int wait_by(int call)
{
	struct pollfd p = { .fd = pipes[0], .events = POLLIN };
	struct timespec t = as_timespec(units(2.5));
	struct timeval v = as_timeval(units(2.5));
	struct epoll_event event;
	fd_set in;
	FD_ZERO(&in);
	FD_SET(pipes[0], &in);
	switch (call) {
	case 0: return poll(&p, 1, ms(2.5));
	case 1: return ppoll(&p, 1, &t, NULL);
	case 2: return select(pipes[0] + 1, &in, NULL, NULL, &v);
	case 3: return pselect(pipes[0] + 1, &in, NULL, NULL, &t, NULL);
	case 4: return epoll_wait(instance, &event, 1, ms(2.5));
	default: return epoll_pwait2(instance, &event, 1, &t, NULL);
	}
}

int main(void)
{
	static const char *const calls[] = { "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait2" };
	MUST(pipe(pipes) == 0);
	instance = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	MUST(epoll_ctl(instance, EPOLL_CTL_ADD, pipes[0], &event) == 0);
	waiter = pthread_self();
	for (int how = 0; how < 3; how++) {
		say("--- %s", how == 0 ? "plain" : how == 1 ? "SA_RESTART" : "ignored");
		if (how == 2)
			signal(SIGUSR1, SIG_IGN);
		else
			on_signal(SIGUSR1, handler, how == 1 ? SA_RESTART : 0);
		for (int call = 0; call < 6; call++) {
			handled = 0;
			pthread_t other = thread(sender, NULL);
			REPORT(how == 2 ? 2.5 : 1, calls[call], wait_by(call));
			join(other);
			MUST(handled == (how < 2));
		}
	}
	/* select tells how much was left. */
	on_signal(SIGUSR1, handler, 0);
	pthread_t other = thread(sender, NULL);
	struct timeval v = as_timeval(units(3.8));
	const char *result = RESULT(select(0, NULL, NULL, NULL, &v));
	say("select: %s, left %lld", result, (long long)((v.tv_sec * SECOND + v.tv_usec * 1000LL) / units(1)));
	join(other);
	return 0;
}
