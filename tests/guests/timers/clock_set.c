/* A clock that is set: timers for an instant of it move, those that asked for it are cancelled, others do not care.
 * Run under the tool alone: it would set the machine's clock. */
#include "guest.h"
#include <sys/timerfd.h>

static void advance(double n)
{
	struct timespec to = in_units(CLOCK_REALTIME, n);
	MUST(clock_settime(CLOCK_REALTIME, &to) == 0);
}

static void *later(void *n)
{
	nap(1);
	advance(*(double *)n);
	return NULL;
}

static const char *count(int fd)
{
	static char text[24];
	uint64_t value = 0;
	ssize_t got = read(fd, &value, 8);
	snprintf(text, sizeof text, "%d", (int)value);
	return got == 8 ? text : name(errno);
}

static void set(int fd, int flags, double n, double interval)
{
	struct itimerspec new = { as_timespec(units(interval)), as_timespec(units(n)) };
	if (flags & TFD_TIMER_ABSTIME)
		new.it_value = in_units(CLOCK_REALTIME, n);
	start();
	MUST(timerfd_settime(fd, flags, &new, NULL) == 0);
}

int main(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, 0);
	double forward = 5, back = -3;
	pthread_t t;
	const char *got;

	set(fd, 0, 3.5, 0);
	t = thread(later, &forward);
	got = count(fd);
	say("relative: %s after %d", got, after(3.5));
	join(t);
	set(fd, TFD_TIMER_ABSTIME, 3.5, 0);
	t = thread(later, &forward);
	got = count(fd);
	say("absolute, set forward: %s after %d", got, after(1));
	join(t);
	set(fd, TFD_TIMER_ABSTIME, 3.5, 0);
	t = thread(later, &back);
	got = count(fd);
	say("absolute, set back: %s after %d", got, after(6.4));
	join(t);

	set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 3.5, 0);
	t = thread(later, &back);
	got = count(fd);
	say("cancelled: %s after %d", got, after(1));
	join(t);
	got = count(fd);
	say("told once: %s after %d", got, after(6.4));
	/* A relative one is not cancelled, whatever it asks for. */
	set(fd, TFD_TIMER_CANCEL_ON_SET, 2.5, 0);
	t = thread(later, &forward);
	got = count(fd);
	say("relative: %s after %d", got, after(2.5));
	join(t);
	struct pollfd ready = { fd, POLLIN, 0 };
	set(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, 3.5, 0);
	t = thread(later, &back);
	report(1, "poll", RESULT(poll(&ready, 1, -1)));
	join(t);
	say("%s", count(fd));

	/* timer_create. */
	sigset_t only;
	sigemptyset(&only);
	sigaddset(&only, SIGRTMIN);
	MUST(pthread_sigmask(SIG_BLOCK, &only, NULL) == 0);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	timer_t timer;
	MUST(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
	static const double by[] = { 5, -3 };
	for (int i = 0; i < 2; i++)
		for (int absolute = 0; absolute < 2; absolute++) {
			struct itimerspec new = { { 0, 0 }, absolute ? in_units(CLOCK_REALTIME, 3.5) : as_timespec(units(3.5)) };
			start();
			MUST(timer_settime(timer, absolute ? TIMER_ABSTIME : 0, &new, NULL) == 0);
			t = thread(later, (void *)&by[i]);
			MUST(sigwaitinfo(&only, NULL) == SIGRTMIN);
			say("timer, absolute %d, set by %d: after %d", absolute, (int)by[i],
			    after(!absolute ? 3.5 : by[i] > 0 ? 1 : 6.4));
			join(t);
		}
	return 0;
}
