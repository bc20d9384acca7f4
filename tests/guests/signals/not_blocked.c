/* sigtimedwait for a signal that the thread does not block: it is taken if it has a handler, which does not run, and not if it is
 * ignored. With descriptors to spare and without. */
#include "guest.h"
#include <sys/resource.h>

static sigset_t usr2;
static pthread_t waiter;
static volatile sig_atomic_t handled;

static void handler(int number)
{
	(void)number;
	handled++;
}

static void *sends(void *unused)
{
	nap(1.3);
	MUST(pthread_kill(waiter, SIGUSR2) == 0);
	return unused;
}

static void expect(const char *action, void (*does)(int))
{
	on_signal(SIGUSR2, does, 0);
	handled = 0;
	pthread_t other = thread(sends, NULL);
	struct timespec two = as_timespec(units(2));
	REPORT(1, action, sigtimedwait(&usr2, NULL, &two) == SIGUSR2 ? 0 : -1);
	say("handled %d", handled);
	join(other);
}

int main(void)
{
	waiter = pthread_self();
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	for (int few = 0; few < 2; few++) {
		struct rlimit limit;
		MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
		if (few)
			limit.rlim_cur = 3;
		MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
		say("few descriptors: %d", few);
		expect("handler", handler);
		expect("ignored", SIG_IGN);
	}
	return 0;
}
