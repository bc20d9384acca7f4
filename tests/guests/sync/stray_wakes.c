/* What is not meant for a wait does not end it: a wake-up that comes late, for a wait that is over, and a signal's handler
 * where the call takes no notice of handlers. Under flux the words that threads sleep on lie in the session's region. */
#include "guest.h"
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/syscall.h>

static struct {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	sem_t sem;
	uint32_t word;
} *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile pid_t waiter;

static void *shared_condition(void *unused)
{
	struct timespec until = in_units(CLOCK_MONOTONIC, 2);
	pthread_mutex_lock(&all->lock);
	waiter = gettid();
	int error = pthread_cond_timedwait(&all->cond, &all->lock, &until);
	pthread_mutex_unlock(&all->lock);
	say("shared condition: %s after %d", name(error), after(2));
	return unused;
}

static void *condition(void *unused)
{
	struct timespec until = in_units(CLOCK_REALTIME, 2);
	pthread_mutex_lock(&lock);
	waiter = gettid();
	int error = pthread_cond_timedwait(&cond, &lock, &until);
	pthread_mutex_unlock(&lock);
	say("condition: %s after %d", name(error), after(2));
	return unused;
}

static void *shared_semaphore(void *unused)
{
	struct timespec until = in_units(CLOCK_REALTIME, 2);
	waiter = gettid();
	const char *result = RESULT(sem_timedwait(&all->sem, &until));
	say("shared semaphore: %s after %d", result, after(2));
	return unused;
}

static void *shared_futex(void *unused)
{
	struct timespec wait = as_timespec(units(2));
	waiter = gettid();
	const char *result = RESULT(syscall(SYS_futex, &all->word, FUTEX_WAIT, 0, &wait, NULL, 0));
	say("shared futex: %s after %d", result, after(2));
	return unused;
}

static void *poll_pipe(void *unused)
{
	int ends[2];
	MUST(pipe(ends) == 0);
	struct pollfd set = { .fd = ends[0], .events = POLLIN };
	waiter = gettid();
	const char *result = RESULT(poll(&set, 1, ms(2)));
	say("poll: %s after %d", result, after(2));
	close(ends[0]);
	close(ends[1]);
	return unused;
}

static void *sleeper(void *unused)
{
	struct timespec wait = as_timespec(units(2));
	waiter = gettid();
	const char *result = RESULT(nanosleep(&wait, NULL));
	say("sleep: %s after %d", result, after(2));
	return unused;
}

static void await_asleep(void)
{
	while (waiter == 0)
		sched_yield();
	char path[64], text[256];
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", waiter);
	do {
		int fd = open(path, O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
		text[n > 0 ? n : 0] = 0;
		close(fd);
	} while (!strstr(text, ") S"));
}

static char *region;

static void wake_everybody(void)
{
	enum { SIZE = 32 << 10, LINE = 64 };
	for (char *word = region; region && word < region + SIZE; word += LINE)
		syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *started_body(void *body)
{
	start();
	return ((void *(*)(void *))body)(NULL);
}

static void handler(int number)
{
	(void)number;
}

int main(void)
{
	all = shared(sizeof *all);
	pthread_mutexattr_t mutex;
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&all->lock, &mutex);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&all->cond, &attr);
	MUST(sem_init(&all->sem, 1, 0) == 0);

	char *path = getenv("FLUX_SESSION");
	if (path) {
		path = strsep(&path, ":");
		int fd = open(path, O_RDWR);
		MUST(fd >= 0);
		region = mmap(NULL, 32 << 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		MUST(region != MAP_FAILED);
		close(fd);
	}
	void *(*bodies[])(void *) = { shared_condition, condition, shared_semaphore, shared_futex, poll_pipe, sleeper };
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		waiter = 0;
		pthread_t t = thread(started_body, bodies[i]);
		await_asleep();
		wake_everybody();
		join(t);
	}

	on_signal(SIGUSR1, handler, 0);
	for (int i = 0; i < 2; i++) {
		waiter = 0;
		pthread_t t = thread(started_body, bodies[i]);
		await_asleep();
		pthread_kill(t, SIGUSR1);
		join(t);
	}
	return 0;
}
