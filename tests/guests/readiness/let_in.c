/* A handler that ppoll, pselect or epoll_pwait lets in by its mask always shows as EINTR, whenever the signal comes. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/select.h>

static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

int main(void)
{
	sigset_t alarm, none;
	sigemptyset(&none);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	MUST(sigprocmask(SIG_BLOCK, &alarm, NULL) == 0);
	on_signal(SIGALRM, handler, 0);
	int instance = epoll_create1(0);
	struct epoll_event event;
	struct itimerval every = { { 0, 37 }, { 0, 37 } };
	MUST(setitimer(ITIMER_REAL, &every, NULL) == 0);
	for (int call = 0; call < 3; call++) {
		int lost = 0;
		for (handled = 0; handled < 500;) {
			int before = handled;
			struct timespec t = { 0, 1000000 };
			int result = call == 0 ? ppoll(NULL, 0, &t, &none)
			           : call == 1 ? pselect(0, NULL, NULL, NULL, &t, &none)
			                       : epoll_pwait(instance, &event, 1, 1, &none);
			if (handled != before && !(result < 0 && errno == EINTR))
				lost++;
		}
		say("lost: %d", lost);
	}
	return 0;
}
