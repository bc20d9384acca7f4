/* sigwait, sigwaitinfo, sigtimedwait: signals of threads and processes that sleep, with their values; time-outs and errors. */
#include "guest.h"

static sigset_t set;
static pthread_t waiter;
static pid_t self;

static void *sender(void *number)
{
	nap(1.3);
	MUST(pthread_kill(waiter, (int)(intptr_t)number) == 0);
	return NULL;
}

static void *queuer(void *value)
{
	nap(1.3);
	MUST(sigqueue(self, SIGRTMIN, (union sigval){ .sival_ptr = value }) == 0);
	return NULL;
}

static void nothing(int number)
{
	(void)number;
}

int main(void)
{
	waiter = pthread_self();
	self = getpid();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	GUARDED(int) number;
	GUARDED(siginfo_t) info;
	guard(&number);
	guard(&info);
	struct timespec two = as_timespec(units(2)), five = as_timespec(units(5)), zero = { 0, 0 }, bad = { 0, 1000000000 };

	pthread_t other = thread(sender, (void *)SIGUSR1);
	REPORT_ERROR(1, "sigwait", sigwait(&set, &number.value));
	say("%s, guards %d", sigabbrev_np(number.value), guard_ok(&number));
	join(other);
	other = thread(queuer, (void *)42);
	REPORT(1, "sigwaitinfo", sigwaitinfo(&set, &info.value) - SIGRTMIN);
	say("value %d, from myself %d, queued %d, guards %d", info.value.si_value.sival_int, info.value.si_pid == self,
	    info.value.si_code == SI_QUEUE, guard_ok(&info));
	join(other);

	REPORT(2, "sigtimedwait", sigtimedwait(&set, &info.value, &two));
	REPORT(0, "no time", sigtimedwait(&set, NULL, &zero));
	REPORT(0, "bad time", sigtimedwait(&set, NULL, &bad));
	other = thread(sender, (void *)SIGUSR1);
	REPORT(1, "in time", sigtimedwait(&set, &info.value, &five));
	join(other);

	/* A child's end is a signal too. */
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(1.3);
		_exit(7);
	}
	REPORT(1, "SIGCHLD", sigtimedwait(&set, &info.value, &five));
	say("the child %d, status %d", info.value.si_pid == child, info.value.si_status);
	reap(child);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		nap(1.3);
		kill(self, SIGUSR1);
		_exit(0);
	}
	REPORT_ERROR(1, "from a process", sigwait(&set, &number.value));
	reap(child);
	say("SIGCHLD is pending: %d", sigtimedwait(&set, NULL, &zero) == SIGCHLD);

	/* Another signal with a handler interrupts sigwaitinfo, SA_RESTART or not; sigwait goes on. In musl all go on. */
	on_signal(SIGUSR2, nothing, SA_RESTART);
#ifndef MUSL_H
	other = thread(sender, (void *)SIGUSR2);
	REPORT(1, "sigwaitinfo interrupted", sigwaitinfo(&set, NULL));
	join(other);
	other = thread(sender, (void *)SIGUSR2);
	REPORT(1, "sigtimedwait interrupted", sigtimedwait(&set, NULL, &five));
	join(other);
#endif
	other = thread(sender, (void *)SIGUSR2);
	pthread_t later = thread(queuer, NULL);
	REPORT_ERROR(1, "sigwait", sigwait(&set, &number.value));
	join(other);
	join(later);

	/* Queued signals are not lost while nobody waits. */
	for (int i = 0; i < 3; i++)
		MUST(sigqueue(self, SIGRTMIN, (union sigval){ .sival_int = i }) == 0);
	nap(1);
	for (int i = 0; i < 3; i++) {
		MUST(sigwaitinfo(&set, &info.value) == SIGRTMIN);
		say("queued %d", info.value.si_value.sival_int);
	}
	return 0;
}
