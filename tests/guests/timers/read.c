/* What a signalfd says of a timer whose signal is read from it. */
#include "guest.h"
#include <sys/signalfd.h>

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 5 };
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	struct itimerspec every = { as_timespec(units(1)), as_timespec(units(1)) };
	MUST(timer_settime(timer, 0, &every, NULL) == 0);
	nap(3.5);
	for (int i = 0; i < 3; i++) {
		struct signalfd_siginfo told[2];
		MUST(read(fd, told, sizeof told) == sizeof *told);
		say("number %d, value %d, overrun %u, counted %d", told->ssi_signo == SIGUSR1, told->ssi_int, told->ssi_overrun,
		    timer_getoverrun(timer));
	}
	return 0;
}
