/* Signals during the waits of a statically linked program: handlers end sleeps, stops and ignored signals do not. */
#include "guest.h"
#include <mqueue.h>
#include <sys/epoll.h>

static void nothing(int number)
{
	(void)number;
}

/* A child that does this after n units and again after as many more. */
static pid_t sends(double n, int first, int second)
{
	pid_t parent = getpid(), child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(n);
		kill(parent, first);
		nap(n);
		if (second != 0)
			kill(parent, second);
		_exit(0);
	}
	return child;
}

static void sleeps(const char *what, pid_t child, double asked)
{
	GUARDED(struct timespec) left;
	guard(&left);
	struct timespec wanted = as_timespec(units(8));
	start();
	const char *result = RESULT(nanosleep(&wanted, &left.value));
	int elapsed = after(asked);
	bool untouched = guard_untouched(&left);
	say("%s: %s after %d, rest %lld", what, result, elapsed,
		untouched ? -1 : (long long)((ns_of(left.value) + units(0.5)) / units(1)));
	reap(child);
}

static void polls(const char *what, pid_t child, int limit, int asked)
{
	int ends[2], epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	MUST(epoll >= 0 && pipe(ends) == 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
	pid_t writer = fork();
	MUST(writer >= 0);
	if (writer == 0) {
		nap(6.3);
		_exit(write(ends[1], "x", 1) != 1);
	}
	start();
	const char *result = RESULT(epoll_wait(epoll, &event, 1, limit));
	int elapsed = after(asked);
	say("%s: %s after %d", what, result, elapsed);
	reap(child);
	reap(writer);
}

/* With a time-out, and yet started again if the handler asks for it: signal(7). */
static void receives(const char *what, pid_t child, int asked)
{
	char path[64], bytes[64];
	snprintf(path, sizeof path, "/guest-signals-%d", getpid());
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 64 };
	mqd_t queue = mq_open(path, O_RDWR | O_CREAT, 0600, &attributes);
	mq_unlink(path);
	pid_t writer = fork();
	MUST(writer >= 0);
	if (writer == 0) {
		nap(3.3);
		_exit(mq_send(queue, "x", 1, 0) != 0);
	}
	struct timespec until = in_units(CLOCK_REALTIME, 8);
	start();
	const char *result = RESULT(mq_timedreceive(queue, bytes, 64, NULL, &until));
	int elapsed = after(asked);
	say("%s: %s after %d", what, result, elapsed);
	reap(child);
	reap(writer);
	mq_close(queue);
}

/* Two signals are pending that the call lets in: one that is ignored, and one with a handler. */
static void two(int caught)
{
	sigset_t blocked, none;
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigaddset(&blocked, caught);
	MUST(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0 && raise(SIGCHLD) == 0 && raise(caught) == 0);
	int epoll = epoll_create1(0);
	struct epoll_event event;
	start();
	const char *result = RESULT(epoll_pwait(epoll, &event, 1, ms(4), &none));
	int elapsed = after(0);
	say("epoll, ignored and handler %d: %s after %d", caught, result, elapsed);
	MUST(sigprocmask(SIG_UNBLOCK, &blocked, NULL) == 0);
	close(epoll);
}

int main(void)
{
	on_signal(SIGUSR1, nothing, SA_RESTART);
	on_signal(SIGUSR2, nothing, 0);
	sleeps("handler with SA_RESTART", sends(2.3, SIGUSR1, 0), 2);
	sleeps("handler", sends(2.3, SIGUSR2, 0), 2);
	sleeps("ignored", sends(1, SIGCHLD, SIGCHLD), 8);
	sleeps("stopped and continued", sends(2, SIGSTOP, SIGCONT), 8);
	sleeps("stopped beyond the end", sends(5.3, SIGSTOP, SIGCONT), 8);

	on_signal(SIGWINCH, SIG_IGN, 0);
	polls("epoll, ignored", sends(1.3, SIGWINCH, SIGWINCH), ms(4), 4);
	polls("epoll without end, ignored", sends(1.3, SIGWINCH, SIGURG), -1, 6);
	polls("epoll, handler", sends(2.3, SIGUSR2, 0), ms(5), 2);
	on_signal(SIGIO, nothing, 0);
	two(SIGUSR2);
	two(SIGIO);
	receives("queue, handler with SA_RESTART", sends(1.3, SIGUSR1, 0), 3);
	receives("queue, handler", sends(1.3, SIGUSR2, 0), 1);

	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(100);
		_exit(0);
	}
	start();
	nap(1);
	kill(child, SIGKILL);
	int code = reap(child);
	say("killed: %d after %d", code, after(1));
	return 0;
}
