/* signalfd(2): read waits for the signal, poll sees it, both for threads and processes that sleep before they send. */
#include "guest.h"
#include <sys/signalfd.h>

static pid_t self;

static void *sender(void *number)
{
	nap(1.3);
	MUST(kill(self, (int)(intptr_t)number) == 0);
	return NULL;
}

int main(void)
{
	self = getpid();
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	GUARDED(struct signalfd_siginfo) info;
	guard(&info);

	pthread_t other = thread(sender, (void *)SIGUSR1);
	REPORT(1, "read", read(fd, &info.value, sizeof info.value) != sizeof info.value);
	say("%s, guards %d", sigabbrev_np(info.value.ssi_signo), guard_ok(&info));
	join(other);
	other = thread(sender, (void *)SIGUSR1);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	REPORT(1, "poll", poll(&p, 1, ms(5)));
	join(other);
	REPORT(0, "read", read(fd, &info.value, sizeof info.value) != sizeof info.value);
	REPORT(2, "poll", poll(&p, 1, ms(2)));

	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		sender((void *)SIGUSR1);
		nap(1.3);
		_exit(9);
	}
	REPORT(1, "from a process", read(fd, &info.value, sizeof info.value) != sizeof info.value);
	say("the child %d", (pid_t)info.value.ssi_pid == child);
	REPORT(1, "its end", read(fd, &info.value, sizeof info.value) != sizeof info.value);
	say("%s, status %d", sigabbrev_np(info.value.ssi_signo), info.value.ssi_status);
	reap(child);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	REPORT(0, "nothing, non-blocking", read(fd, &info.value, sizeof info.value));
	return 0;
}
