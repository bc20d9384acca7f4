/* Sleeping before main and after it: in constructors, atexit handlers and destructors. */
#include "guest.h"

static int64_t first;

__attribute__((constructor(101))) static void earliest(void)
{
	first = now_on(CLOCK_MONOTONIC);
	started = first;
	nap(1);
	say("constructor: after %d", after(1));
}

__attribute__((constructor)) static void constructor(void)
{
	nap(1);
	say("second constructor: after %d", after(2));
}

__attribute__((destructor)) static void destructor(void)
{
	nap(1);
	say("destructor: after %d", after(6));
}

static void at_exit(void)
{
	nap(1);
	say("atexit: after %d", after(5));
}

#ifdef MUSL_H
/* Musl has no on_exit. */
static void at_exit_too(void)
{
	nap(1);
	say("atexit: after %d", after(4));
}
#else
static void on_exit_handler(int status, void *unused)
{
	(void)unused;
	nap(1);
	say("on_exit: status %d, after %d", status, after(4));
}
#endif

int main(void)
{
	atexit(at_exit);
#ifdef MUSL_H
	atexit(at_exit_too);
#else
	on_exit(on_exit_handler, NULL);
#endif
	nap(1);
	say("main: after %d", after(3));
	exit(5);
}
