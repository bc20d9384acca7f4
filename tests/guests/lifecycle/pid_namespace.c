/* Processes in a PID namespace of their own, pid_namespaces(7), which know themselves and each other by numbers that are
 * strangers' outside. They wait for time, descriptors, threads, signals and children, in a namespace and in one within it. */
#include "guest.h"
#include <sched.h>
#include <sys/timerfd.h>

static int pipes[2];

static void handler(int number)
{
	(void)number;
}

static void *writes(void *unused)
{
	nap(2.3);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

static void readiness(void)
{
	struct pollfd set = { .fd = pipes[0], .events = POLLIN };
	char byte;
	pthread_t t = thread(writes, NULL);
	REPORT(2, "poll", poll(&set, 1, ms(9)));
	MUST(read(pipes[0], &byte, 1) == 1);
	join(t);
	REPORT(2, "poll alone", poll(&set, 1, ms(2)));
}

static void timer(void)
{
	uint64_t count;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec in_two = { .it_value = as_timespec(units(2)) };
	MUST(fd >= 0);
	start();
	MUST(timerfd_settime(fd, 0, &in_two, NULL) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		MUST(read(fd, &count, sizeof count) == sizeof count);
		say("timer in a child: %d after %d", (int)count, after(2));
		_exit(0);
	}
	int code = reap(child);
	say("it ends: %d after %d", code, after(2));
	close(fd);
}

static void to_a_thread(void)
{
	sigset_t set;
	timer_t id;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2 };
	struct itimerspec in_two = { .it_value = as_timespec(units(2)) };
	event.sigev_notify_thread_id = gettid();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && timer_create(CLOCK_MONOTONIC, &event, &id) == 0);
	start();
	MUST(timer_settime(id, 0, &in_two, NULL) == 0);
	int got = sigwaitinfo(&set, NULL);
	say("a timer's signal to this thread: %d after %d", got == SIGUSR2, after(2));
	timer_delete(id);
}

static void interrupted(void)
{
	struct timespec left = as_timespec(units(9));
	on_signal(SIGUSR1, handler, 0);
	pid_t me = getpid(), child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(2.3);
		MUST(kill(me, SIGUSR1) == 0);
		_exit(3);
	}
	REPORT(2, "a child interrupts", nanosleep(&left, &left));
	say("child: %d", reap(child));
}

static void many(void)
{
	start();
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();
		MUST(child >= 0);
		if (child == 0) {
			nap(i % 3 + 0.3);
			_exit(i % 3);
		}
	}
	int sum = 0, status;
	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	say("twenty children: %d after %d", sum, after(2));
}

static void killed(void)
{
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		pause();
		_exit(1);
	}
	start();
	nap(2);
	MUST(kill(child, SIGKILL) == 0);
	int code = reap(child);
	say("killed in its wait: %d after %d", code, after(2));
}

/* The first process of a namespace, which no signal ends that it does not handle; but its own fault does. */
static void faults(void)
{
	nap(2);
	*(volatile int *)8 = 1;
	_exit(1);
}

static int namespaces;

static void within(int depth, void (*body)(void))
{
	fflush(NULL);
	MUST(unshare(namespaces) == 0);
	/* One namespace of users is enough. */
	namespaces = CLONE_NEWPID;
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		say("in namespace %d: process %d, child of %d", depth, getpid(), getppid());
		body();
		_exit(depth);
	}
	say("namespace %d has ended: %d", depth, reap(child));
}

static void all(void)
{
	readiness();
	timer();
	to_a_thread();
	interrupted();
	many();
	killed();
}

static void deep(void)
{
	all();
	within(2, all);
}

int main(void)
{
	namespaces = geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWPID | CLONE_NEWUSER;
	pid_t probe = fork();
	MUST(probe >= 0);
	if (probe == 0)
		_exit(unshare(namespaces) != 0);
	if (reap(probe) != 0) {
		say("not allowed here");
		return 0;
	}
	MUST(pipe(pipes) == 0);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		within(1, faults);
		_exit(0);
	}
	say("outside: %d", reap(child));
	within(1, deep);
	start();
	nap(1);
	say("outside after %d", after(1));
	return 0;
}
