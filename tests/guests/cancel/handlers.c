/* A thread is cancelled, and a signal with a handler follows at once: the call is cancelled, and does not fail with EINTR. (So it
 * goes with each cancellation where libc sends its own signal for it, as glibc does from 2.41 on.) */
#include "guest.h"
#include <semaphore.h>
#include <sys/un.h>

static int full, peer;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t length = sizeof address;
static struct sockaddr_un listens = { .sun_family = AF_UNIX };
static socklen_t listens_length = sizeof listens;
static sem_t semaphore;
static volatile int came;

static void noted(int number)
{
	came = number;
}

static void by_sendto(void) { sendto(full, "x", 1, 0, (struct sockaddr *)&address, length); }
static void by_nanosleep(void) { struct timespec t = as_timespec(units(50)); nanosleep(&t, NULL); }
static void by_clock_nanosleep(void) { struct timespec t = in_units(CLOCK_MONOTONIC, 50); clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL); }
static void by_sem_wait(void) { sem_wait(&semaphore); }
static void by_sem_timedwait(void) { struct timespec t = in_units(CLOCK_REALTIME, 50); sem_timedwait(&semaphore, &t); }
static void by_connect(void)
{
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timeval limit = as_timeval(units(50));
	MUST(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
	connect(client, (struct sockaddr *)&listens, listens_length);
}
static void by_poll(void) { poll(NULL, 0, ms(50)); }
static void by_sigtimedwait(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	struct timespec t = as_timespec(units(50));
	sigtimedwait(&set, NULL, &t);
}

static const struct { const char *name; void (*call)(void); } calls[] = {
	{ "sendto", by_sendto }, { "connect", by_connect }, { "nanosleep", by_nanosleep }, { "clock_nanosleep", by_clock_nanosleep }, { "sem_wait", by_sem_wait },
	{ "sem_timedwait", by_sem_timedwait }, { "poll", by_poll }, { "sigtimedwait", by_sigtimedwait },
};

static void *body(void *call)
{
	((void (*)(void))call)();
	return NULL;
}

int main(void)
{
	on_signal(SIGUSR1, noted, 0);
	peer = socket(AF_UNIX, SOCK_DGRAM, 0);
	full = socket(AF_UNIX, SOCK_DGRAM, 0);
	MUST(bind(peer, (struct sockaddr *)&address, sizeof address.sun_family) == 0);
	MUST(getsockname(peer, (struct sockaddr *)&address, &length) == 0);
	while (sendto(full, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, length) == 1)
		;
	struct timeval limit = as_timeval(units(50));
	MUST(setsockopt(full, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&listens, sizeof listens.sun_family) == 0 && listen(listener, 0) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&listens, &listens_length) == 0);
	while (connect(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&listens, listens_length) == 0)
		;
	sem_init(&semaphore, 0, 0);
	for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
		int cancelled = 0;
		for (int n = 0; n < 5; n++) {
			pthread_t t = thread(body, (void *)calls[i].call);
			nap(1);
			MUST(pthread_cancel(t) == 0);
			pthread_kill(t, SIGUSR1);
			cancelled += join(t) == PTHREAD_CANCELED;
		}
		say("%s: cancelled %d of 5", calls[i].name, cancelled);
	}
	return 0;
}
