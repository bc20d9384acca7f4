/* Cancellation of the readiness family. */
#include "cancel/points.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int pipes[2], instance;
static struct epoll_event event;

static void by_poll(void) { struct pollfd p = { pipes[0], POLLIN, 0 }; poll(&p, 1, -1); }
static void by_poll_with_end(void) { struct pollfd p = { pipes[0], POLLIN, 0 }; poll(&p, 1, ms(99)); }
static void by_ppoll(void) { struct pollfd p = { pipes[0], POLLIN, 0 }; ppoll(&p, 1, NULL, NULL); }
static void by_select(void) { struct timeval t = as_timeval(units(99)); select(0, NULL, NULL, NULL, &t); }
static void by_pselect(void) { sigset_t none; sigemptyset(&none); pselect(0, NULL, NULL, NULL, NULL, &none); }
static void by_epoll_wait(void) { epoll_wait(instance, &event, 1, ms(99)); }
static void by_epoll_pwait(void) { epoll_pwait(instance, &event, 1, -1, NULL); }
__attribute__((unused)) static void by_epoll_pwait2(void) { struct timespec t = as_timespec(units(99)); epoll_pwait2(instance, &event, 1, &t, NULL); }

int main(void)
{
	MUST(pipe(pipes) == 0);
	instance = epoll_create1(0);
	struct point points[] = {
		{ "poll", by_poll, NULL },
		{ "poll with an end", by_poll_with_end, NULL },
		{ "ppoll", by_ppoll, NULL },
		{ "select", by_select, NULL },
		{ "pselect", by_pselect, NULL },
		{ "epoll_wait", by_epoll_wait, NULL },
		{ "epoll_pwait", by_epoll_pwait, NULL },
/* There it is a call of syscall(2), which is no cancellation point. */
#ifndef MUSL_H
		{ "epoll_pwait2", by_epoll_pwait2, NULL },
#endif
	};
	TRY(points);
	return 0;
}
