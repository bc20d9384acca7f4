/* ticks KIND COUNT: a timer that ticks COUNT times, 10 ms apart; each expiration is accounted for at its instant.
 *   timerfd   read one after the other
 *   behind    a timer descriptor whose reader sleeps a number of intervals that changes, and reads how many it missed
 *   posix     timer_create with a signal that carries its overruns, taken by sigwaitinfo
 *   handler   setitimer, counted in the handler, while the program pauses
 *   shared    a timer descriptor read by four processes in turn, who counts what they read
 * Prints "ticks N, virtual NS late NS" and ends with 1 if a number is wrong or an instant was early. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL 10000000LL
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			printf("line %d: %s, after %ld ticks\n", __LINE__, #condition, (long)ticks); \
			exit(1); \
		} \
	} while (0)

static volatile long ticks;
static int64_t began, latest;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* `n` more expirations have been told: as many as there were by now, and none early. */
static void told(long n)
{
	ticks += n;
	int64_t late = now() - began - ticks * INTERVAL;
	CHECK(late >= 0);
	if (late > latest)
		latest = late;
}

static int descriptor(int flags)
{
	struct itimerspec every = { { 0, INTERVAL }, { 0, INTERVAL } };
	int fd = timerfd_create(CLOCK_MONOTONIC, flags);
	began = now();
	CHECK(fd >= 0 && timerfd_settime(fd, 0, &every, NULL) == 0);
	return fd;
}

static long expirations(int fd)
{
	uint64_t count = 0;
	return read(fd, &count, 8) == 8 ? (long)count : 0;
}

static void timerfd(long count)
{
	for (int fd = descriptor(0); ticks < count;)
		told(expirations(fd));
}

static void behind(long count)
{
	int fd = descriptor(0);
	for (long n = 1; ticks < count; n = n % 17 + 1) {
		struct timespec rest = { 0, n * INTERVAL - INTERVAL / 2 };
		nanosleep(&rest, NULL);
		int64_t before = now();
		long got = expirations(fd);
		/* Those that had passed, or the one that it waited for. */
		long passed = (before - began) / INTERVAL - ticks;
		CHECK(got >= (passed > 0 ? passed : 1) && got <= passed + (now() - before) / INTERVAL + 1);
		told(got);
	}
}

static void posix(long count)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec every = { { 0, INTERVAL }, { 0, INTERVAL } };
	timer_t timer;
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	began = now();
	CHECK(timer_settime(timer, 0, &every, NULL) == 0);
	siginfo_t info;
	while (ticks < count) {
		CHECK(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_code == SI_TIMER);
		told(1 + info.si_overrun);
	}
}

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
	(void)number;
	alarms++;
}

static void handler(long count)
{
	sigset_t blocked, before;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGALRM, on_alarm);
	struct itimerval every = { { 0, INTERVAL / 1000 }, { 0, INTERVAL / 1000 } };
	began = now();
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	while (alarms < count) {
		sigsuspend(&before);
		CHECK((now() - began) / INTERVAL >= alarms);
	}
	ticks = alarms;
}

static void shared(long count)
{
	enum { READERS = 4 };
	long *sums = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = descriptor(0);
	for (int i = 0; i < READERS; i++)
		if (fork() == 0) {
			while (sums[0] < count)
				__atomic_add_fetch(&sums[0], expirations(fd), __ATOMIC_SEQ_CST);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	told(sums[0]);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(long); } kinds[] = {
		{ "timerfd", timerfd }, { "behind", behind }, { "posix", posix }, { "handler", handler }, { "shared", shared },
	};
	for (unsigned i = 0; argc == 3 && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, argv[1]) == 0) {
			kinds[i].run(atol(argv[2]));
			printf("ticks %ld, virtual %lld, late %lld\n", (long)ticks, (long long)(now() - began), (long long)latest);
			return 0;
		}
	fprintf(stderr, "ticks KIND COUNT\n");
	return 2;
}
