/* fuzz SEED MS: writes random bytes into the region of its session for MS milliseconds of real time.
 * fuzz work: waits in many ways meanwhile, for some hours of virtual time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static uint64_t any(void)
{
	state += 0x9e3779b97f4a7c15;
	uint64_t x = state;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/* Where most of what is used lies: the head, the first slots; and anywhere. */
static size_t place(size_t size)
{
	switch (any() % 8) {
	case 0:
	case 1:
		return any() % 640;
	case 2:
		return any() % 9472;
	case 3:
	case 4:
	case 5:
		return 9472 + any() % (128 * 24);
	case 6:
		return any() % (1 << 20);
	default:
		return any() % size;
	}
}

static uint64_t value(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 5, 9, 64, 65535, 65536, 65537, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff0001,
		0x100000000, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 1 };
	switch (any() % 4) {
	case 0:
		return any();
	case 1:
		return any() % 32;
	case 2:
		return (any() % 32) << 32 | any() % 32;
	default:
		return edges[any() % (sizeof edges / sizeof *edges)];
	}
}

static int64_t real_ms(void)
{
	struct timespec t;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fuzz(unsigned long seed, long ms)
{
	char path[64];
	const char *session = getenv("FLUX_SESSION");
	struct stat about;
	if (!session)
		exit(90);
	snprintf(path, sizeof path, "%.*s", (int)strcspn(session, ":"), session);
	int file = open(path, O_RDWR);
	if (file < 0 || fstat(file, &about))
		exit(91);
	char *region = mmap(NULL, about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (region == MAP_FAILED)
		exit(92);
	state = seed;
	/* Some write once, some all the time. */
	uint64_t pause = any() % 4 == 0 ? 0 : 1ull << any() % 16, words = 1ull << any() % 12;
	for (int64_t end = real_ms() + ms; real_ms() < end && words-- > 0;) {
		uint64_t it = value();
		memcpy(region + (place(about.st_size - 8) & ~3ul), &it, any() % 2 ? 4 : 8);
		for (volatile uint64_t i = 0; i < pause; i++)
			;
	}
	_exit(0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *waits(void *unused)
{
	for (int i = 0; i < 50; i++) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1 + i % 7;
		pthread_mutex_lock(&lock);
		pthread_cond_timedwait(&cond, &lock, &until);
		pthread_mutex_unlock(&lock);
		if (i % 5 == 0)
			pthread_cond_signal(&cond);
	}
	return unused;
}

static void *polls(void *unused)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec each = { .it_value = { .tv_sec = 3 }, .it_interval = { .tv_sec = 2 } };
	timerfd_settime(fd, 0, &each, NULL);
	for (int i = 0; i < 50; i++) {
		struct pollfd set = { .fd = fd, .events = POLLIN };
		uint64_t count;
		poll(&set, 1, 1500);
		(void)!read(fd, &count, sizeof count);
	}
	close(fd);
	return unused;
}

static void work(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t threads[3];
		pid_t child = fork();
		if (child == 0) {
			sleep(5 + i);
			_exit(0);
		}
		pthread_create(&threads[0], NULL, waits, NULL);
		pthread_create(&threads[1], NULL, polls, NULL);
		pthread_create(&threads[2], NULL, waits, NULL);
		if (i % 3 == 0)
			kill(child, SIGTERM);
		for (int t = 0; t < 3; t++)
			pthread_join(threads[t], NULL);
		waitpid(child, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	if (argc == 3)
		fuzz(strtoul(argv[1], NULL, 10), atol(argv[2]));
	work();
	return 0;
}
