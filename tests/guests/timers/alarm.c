/* alarm(2), ualarm(3), setitimer(2): when SIGALRM comes, what it says, and what it interrupts. */
#include "guest.h"
#include <sys/file.h>

/* REPORT counts from the call, this from the setting. */
#define SINCE(asked, what, call) report((asked), (what), RESULT(call))

static volatile sig_atomic_t handled, code;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	handled++;
	code = info->si_code;
}

static void set(double value, double interval)
{
	struct itimerval new = { as_timeval(units(interval)), as_timeval(units(value)) };
	handled = 0;
	start();
	MUST(setitimer(ITIMER_REAL, &new, NULL) == 0);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	MUST(sigaction(SIGALRM, &action, NULL) == 0);

	set(1.5, 0);
	SINCE(1.5, "pause", pause());
	say("handled %d, from the kernel %d", (int)handled, code == SI_KERNEL);

	set(1.5, 0);
	struct timespec left, asked = as_timespec(units(4));
	SINCE(1.5, "nanosleep", nanosleep(&asked, &left));
	say("left %d", (int)(ns_of(left) / units(1)));

	int pipes[2], status;
	char byte;
	MUST(pipe(pipes) == 0);
	set(1.5, 0);
	SINCE(1.5, "read", read(pipes[0], &byte, 1));

	set(1.5, 0);
	struct pollfd ready = { .fd = pipes[0], .events = POLLIN };
	SINCE(1.5, "poll", poll(&ready, 1, ms(3)));

	FILE *file = tmpfile();
	MUST(file != NULL && flock(fileno(file), LOCK_EX) == 0);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
	int again = open(path, O_RDWR);
	MUST(again >= 0);
	set(1.5, 0);
	SINCE(1.5, "flock", flock(again, LOCK_EX));

	pid_t child = fork();
	if (child == 0) {
		/* Not inherited: nothing ends this sleep. */
		alarm(0);
		nap(4);
		_exit(3);
	}
	set(1.5, 0);
	SINCE(1.5, "waitpid", waitpid(child, &status, 0));
	say("child %d", reap(child));

	/* The interval is kept to, whatever the handler does in between. */
	set(1.5, 1);
	for (int i = 0; i < 5; i++)
		pause();
	say("five times: handled %d after %d", (int)handled, after(5.5));
	struct itimerval now;
	MUST(getitimer(ITIMER_REAL, &now) == 0);
	int64_t rest = now.it_value.tv_sec * SECOND + now.it_value.tv_usec * 1000;
	say("interval %d, next within it %d", (int)((now.it_interval.tv_sec * SECOND + now.it_interval.tv_usec * 1000) / units(1)),
	    rest > 0 && rest <= units(1));
	set(0, 0);

	/* Pending while blocked, once. */
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGALRM);
	MUST(sigprocmask(SIG_BLOCK, &only, NULL) == 0);
	set(1, 1);
	nap(3.5);
	say("blocked: handled %d", (int)handled);
	set(0, 0);
	handled = 0;
	MUST(sigprocmask(SIG_UNBLOCK, &only, NULL) == 0);
	say("let in: handled %d", (int)handled);

	/* Taken by sigwaitinfo. */
	MUST(sigprocmask(SIG_BLOCK, &only, NULL) == 0);
	set(1.5, 0);
	siginfo_t info;
	SINCE(1.5, "sigwaitinfo", sigwaitinfo(&only, &info) == SIGALRM);
	say("code %d", info.si_code == SI_KERNEL);
	MUST(sigprocmask(SIG_UNBLOCK, &only, NULL) == 0);

	/* The child of a fork has none, its parent's goes on. */
	set(2.5, 0);
	child = fork();
	if (child == 0) {
		MUST(getitimer(ITIMER_REAL, &now) == 0);
		nap(3.5);
		_exit(handled * 10 + (now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0));
	}
	SINCE(2.5, "waitpid", waitpid(child, &status, 0));
	say("child %d", reap(child));

	/* And one of its own, if it sets one. */
	child = fork();
	if (child == 0) {
		set(1.5, 0);
		pause();
		_exit(handled * 10 + after(1.5));
	}
	say("child's own: %d", reap(child));

	/* Not handled, it ends the process. */
	child = fork();
	if (child == 0) {
		signal(SIGALRM, SIG_DFL);
		set(1.5, 0);
		pause();
		_exit(0);
	}
	say("died of %d", reap(child) - 1000);
	return 0;
}
