/* A clock that is set: waits for an instant of it end at that instant, in this process and in another; others do not care.
 * Run under the tool alone: it would set the machine's clock. */
#include "guest.h"
#include <linux/futex.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/syscall.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER, robust;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static pthread_t joined;
static mqd_t queue;
static int word;

static int sleeps(const struct timespec *until) { return clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, until, NULL); }
static int locks(const struct timespec *until) { return pthread_mutex_timedlock(&held, until); }
static int locks_robust(const struct timespec *until) { return pthread_mutex_timedlock(&robust, until); }
static int reads(const struct timespec *until) { return pthread_rwlock_timedrdlock(&rwlock, until); }
static int joins(const struct timespec *until) { return pthread_timedjoin_np(joined, NULL, until); }
static int takes(const struct timespec *until) { return sem_timedwait(&semaphore, until) == 0 ? 0 : errno; }

static int receives(const struct timespec *until)
{
	char text[8];
	return mq_timedreceive(queue, text, sizeof text, NULL, until) >= 0 ? 0 : errno;
}

/* These two may be woken for no reason. */
static int awaits(const struct timespec *until)
{
	int done;
	pthread_mutex_lock(&mutex);
	do
		done = pthread_cond_timedwait(&condition, &mutex, until);
	while (done == 0);
	pthread_mutex_unlock(&mutex);
	return done;
}

static int futex(const struct timespec *until, int private)
{
	int op = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | private;
	for (;;)
		if (syscall(SYS_futex, &word, op, 0, until, NULL, FUTEX_BITSET_MATCH_ANY) != 0)
			return errno;
}

static int futex_private(const struct timespec *until) { return futex(until, FUTEX_PRIVATE_FLAG); }
static int futex_shared(const struct timespec *until) { return futex(until, 0); }

static const struct {
	const char *name;
	int (*wait)(const struct timespec *);
} kinds[] = {
	{ "clock_nanosleep", sleeps },
	{ "pthread_cond_timedwait", awaits },
	{ "sem_timedwait", takes },
	{ "pthread_mutex_timedlock", locks },
	{ "a robust one", locks_robust },
	{ "pthread_rwlock_timedrdlock", reads },
	{ "pthread_timedjoin_np", joins },
	{ "mq_timedreceive", receives },
	{ "futex, private", futex_private },
	{ "futex, shared", futex_shared },
};

static void *locks_all(void *go)
{
	pthread_mutex_lock(&held);
	pthread_mutex_lock(&robust);
	pthread_rwlock_wrlock(&rwlock);
	sem_post(go);
	for (;;)
		pause();
	return NULL;
}

static void *sets(void *by)
{
	nap(1);
	double n = *(double *)by;
	struct timespec to = as_timespec(now_on(CLOCK_REALTIME) + (n < 0 ? -units(-n) : units(n)));
	MUST(clock_settime(CLOCK_REALTIME, &to) == 0);
	return NULL;
}

/* Waits for an instant 4.5 units from now; after one the clock is set. */
static void all(const char *where, double by, double asked)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		start();
		struct timespec until = in_units(CLOCK_REALTIME, 4.5);
		pthread_t setter = 0;
		pid_t other = 0;
		if (*where == 'b') {
			MUST((other = fork()) >= 0);
			if (other == 0) {
				sets(&by);
				_exit(0);
			}
		} else {
			setter = thread(sets, &by);
		}
		int done = kinds[i].wait(&until);
		int64_t early = ns_of(until) - now_on(CLOCK_REALTIME);
		say("%s, set by %d %s: %s after %d%s", kinds[i].name, (int)by, where, name(done), after(asked),
		    early > 0 ? " EARLY by its own clock" : "");
		if (setter)
			join(setter);
		else
			reap(other);
	}
}

int main(void)
{
	sem_t go;
	sem_init(&go, 0, 0);
	sem_init(&semaphore, 0, 0);
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	char path[32];
	snprintf(path, sizeof path, "/clock-%d", getpid());
	struct mq_attr small = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	MUST((queue = mq_open(path, O_CREAT | O_RDWR, 0600, &small)) >= 0 && mq_unlink(path) == 0);
	joined = thread(locks_all, &go);
	sem_wait(&go);

	all("here", 5, 1);
	all("here", 2, 2.5);
	all("here", -2, 6.5);
	all("by another process", 5, 1);

	double forward = 5;
	start();
	pthread_t setter = thread(sets, &forward);
	nap(2.5);
	say("a duration: after %d", after(2.5));
	join(setter);
	start();
	setter = thread(sets, &forward);
	struct timespec until = in_units(CLOCK_MONOTONIC, 2.5);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	say("an instant of another clock: after %d", after(2.5));
	join(setter);
	fflush(stdout);
	_exit(0);
}
