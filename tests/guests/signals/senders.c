/* A sleeping process is interrupted by each call that sends a signal; asking with signal 0 interrupts nobody. */
#include "guest.h"
#ifndef MUSL_H
#include <sys/pidfd.h>
#endif

static pid_t target;
static pthread_t main_thread;
static int pidfd;

static void handler(int unused) { (void)unused; }

static void *sends(void *row)
{
	union sigval value = { .sival_int = 7 };
	nap(1.3);
	switch ((intptr_t)row) {
	case 0: kill(target, 0); kill(target, SIGUSR1); break;
	case 1: killpg(getpgrp(), SIGUSR1); break;
	case 2: tgkill(target, target, SIGUSR1); break;
	case 3: pthread_kill(main_thread, 0); pthread_kill(main_thread, SIGUSR1); break;
	case 4: sigqueue(target, SIGUSR1, value); break;
	case 5: pidfd_send_signal(pidfd, SIGUSR1, NULL, 0); break;
	case 6: kill(-getpgrp(), SIGUSR1); break;
#ifndef MUSL_H
	case 7: pthread_sigqueue(main_thread, SIGUSR1, value); break;
#endif
	}
	return NULL;
}

int main(void)
{
	static const char *const names[] = {
		"kill",
		"killpg",
		"tgkill",
		"pthread_kill",
		"sigqueue",
		"pidfd_send_signal",
		"kill of a group",
#ifndef MUSL_H
		"pthread_sigqueue",
#endif
	};
	MUST(setpgid(0, 0) == 0);
	target = getpid();
	main_thread = pthread_self();
	pidfd = pidfd_open(target, 0);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	on_signal(SIGUSR1, handler, 0);
	for (intptr_t row = 0; row < (intptr_t)(sizeof names / sizeof *names); row++) {
		/* The sender must not be the one who gets it. */
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		start();
		pthread_t t = thread(sends, (void *)row);
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
		struct timespec long_time = as_timespec(units(5));
		const char *result = RESULT(nanosleep(&long_time, NULL));
		say("%s: %s after %d", names[row], result, after(1.3));
		join(t);
	}
	return 0;
}
