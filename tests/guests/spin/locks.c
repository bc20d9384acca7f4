/* Loops that try to lock what a sleeping thread holds, or to join it. */
#include "guest.h"
#include <semaphore.h>
#include <sys/file.h>
#include <threads.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;
static mtx_t c11;
static sem_t held, semaphore;
static int file;

#define HOLDER(name, lock, unlock) \
	static void *name(void *unused) \
	{ \
		lock; \
		sem_post(&held); \
		nap(1.3); \
		unlock; \
		return unused; \
	}

HOLDER(holds_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDER(reads, pthread_rwlock_rdlock(&rwlock), pthread_rwlock_unlock(&rwlock))
HOLDER(writes, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
HOLDER(holds_spinlock, pthread_spin_lock(&spinlock), pthread_spin_unlock(&spinlock))
HOLDER(holds_c11, mtx_lock(&c11), mtx_unlock(&c11))
HOLDER(posts, (void)0, sem_post(&semaphore))
HOLDER(holds_file, flock(file, LOCK_EX), flock(file, LOCK_UN))

static void tries(const char *what, void *(*holder)(void *), bool (*attempt)(void))
{
	start();
	pthread_t t = thread(holder, NULL);
	while (sem_wait(&held) != 0)
		;
	while (!attempt())
		;
	say("%s: after %d", what, after(1.3));
	join(t);
}

static bool try_mutex(void) { return pthread_mutex_trylock(&mutex) == 0; }
static bool try_read(void) { return pthread_rwlock_tryrdlock(&rwlock) == 0; }
static bool try_write(void) { return pthread_rwlock_trywrlock(&rwlock) == 0; }
static bool try_spinlock(void) { return pthread_spin_trylock(&spinlock) == 0; }
static bool try_c11(void) { return mtx_trylock(&c11) == thrd_success; }
static bool try_semaphore(void) { return sem_trywait(&semaphore) == 0; }
static int again;
static bool try_file(void) { return flock(again, LOCK_EX | LOCK_NB) == 0; }

static void *sleeper(void *unused)
{
	nap(1.3);
	return unused;
}

int main(void)
{
	sem_init(&held, 0, 0);
	sem_init(&semaphore, 0, 0);
	pthread_spin_init(&spinlock, 0);
	mtx_init(&c11, mtx_plain);
	char path[] = "/tmp/spin-XXXXXX";
	MUST((file = mkstemp(path)) >= 0 && (again = open(path, O_RDWR)) >= 0 && unlink(path) == 0);
	tries("pthread_mutex_trylock", holds_mutex, try_mutex);
	tries("pthread_rwlock_trywrlock", reads, try_write);
	pthread_rwlock_unlock(&rwlock);
	tries("pthread_rwlock_tryrdlock", writes, try_read);
	tries("pthread_spin_trylock", holds_spinlock, try_spinlock);
	tries("mtx_trylock", holds_c11, try_c11);
	tries("sem_trywait", posts, try_semaphore);
	tries("flock", holds_file, try_file);
	start();
	pthread_t other = thread(sleeper, NULL);
	while (pthread_tryjoin_np(other, NULL) == EBUSY)
		;
	say("pthread_tryjoin_np: after %d", after(1.3));
	return 0;
}
