// Hand-overs by what the tool parks for itself (semaphores, conditions, barriers, futex words) and by locks, where the
// kernel waits.
#include "handover.h"
#include <limits.h>
#include <linux/futex.h>
#include <semaphore.h>

static struct shared {
    sem_t sem[2];
    pthread_mutex_t lock;
    pthread_cond_t cond[2];
    bool full[2];
    pthread_barrier_t barrier[2];
    pthread_mutex_t ring[3];
    pthread_rwlock_t rwring[3];
    atomic_int word[2];
} *s;

static struct timespec in_half_an_hour(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += HALF_AN_HOUR / SECOND;
    return at;
}

static void allocate(void)
{
    s = shared_memory(sizeof *s);
}

// Semaphores ---------------------------------------------------------------------------------------------------------

static void sem_setup_private(void)
{
    allocate();
    sem_init(&s->sem[0], 0, 0);
    sem_init(&s->sem[1], 0, 0);
}

static void sem_setup_shared(void)
{
    allocate();
    sem_init(&s->sem[0], 1, 0);
    sem_init(&s->sem[1], 1, 0);
}

static void sem_give(int direction)
{
    if (sem_post(&s->sem[direction]) != 0)
        die("sem_post");
}

static void sem_take(int direction)
{
    if (sem_wait(&s->sem[direction]) != 0)
        die("sem_wait");
}

static void sem_take_timed(int direction)
{
    struct timespec at = in_half_an_hour();
    if (sem_timedwait(&s->sem[direction], &at) != 0)
        finding(!direction, "sem_timedwait timed out");
}

// Conditions ---------------------------------------------------------------------------------------------------------

static void cond_setup_private(void)
{
    // Zero bytes are what PTHREAD_COND_INITIALIZER makes: the case without any init call.
    allocate();
}

static void cond_setup_shared(void)
{
    pthread_condattr_t cond;
    pthread_mutexattr_t mutex;
    allocate();
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&s->lock, &mutex);
    pthread_cond_init(&s->cond[0], &cond);
    pthread_cond_init(&s->cond[1], &cond);
}

static void cond_give(int direction)
{
    pthread_mutex_lock(&s->lock);
    s->full[direction] = true;
    pthread_cond_signal(&s->cond[direction]);
    pthread_mutex_unlock(&s->lock);
}

static void cond_give_broadcast(int direction)
{
    pthread_mutex_lock(&s->lock);
    s->full[direction] = true;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_broadcast(&s->cond[direction]);
}

static void cond_take(int direction)
{
    pthread_mutex_lock(&s->lock);
    while (!s->full[direction])
        pthread_cond_wait(&s->cond[direction], &s->lock);
    s->full[direction] = false;
    pthread_mutex_unlock(&s->lock);
}

static void cond_take_timed(int direction)
{
    struct timespec at = in_half_an_hour();
    pthread_mutex_lock(&s->lock);
    while (!s->full[direction])
        if (pthread_cond_timedwait(&s->cond[direction], &s->lock, &at) != 0)
            finding(!direction, "pthread_cond_timedwait timed out");
    s->full[direction] = false;
    pthread_mutex_unlock(&s->lock);
}

// Barriers: both sides cross the same one, so giving and taking are the same call ------------------------------------

static void barrier_setup(void)
{
    pthread_barrierattr_t attributes;
    allocate();
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, mode == PROCESSES);
    pthread_barrier_init(&s->barrier[0], &attributes, 2);
    pthread_barrier_init(&s->barrier[1], &attributes, 2);
}

static void barrier_cross(int direction)
{
    pthread_barrier_wait(&s->barrier[direction]);
}

// Locks --------------------------------------------------------------------------------------------------------------
//
// A lock can only be released by its owner, so a token cannot be thrown across. Instead both sides walk around a ring
// of three locks, each holding one: whoever wants to go on needs the third, or must wait until the other has moved.
// Side A starts on lock 1 and side B behind it on lock 0.

// What they are, and whether they are waited for with a time-out.
static int protocol = PTHREAD_PRIO_NONE, robustness = PTHREAD_MUTEX_STALLED;
static bool timed;

static void ring_setup(void)
{
    pthread_mutexattr_t mutex;
    pthread_rwlockattr_t rwlock;
    allocate();
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, mode == PROCESSES);
    pthread_mutexattr_setprotocol(&mutex, protocol);
    pthread_mutexattr_setrobust(&mutex, robustness);
    pthread_rwlockattr_init(&rwlock);
    pthread_rwlockattr_setpshared(&rwlock, mode == PROCESSES);
    for (int i = 0; i < 3; i++) {
        pthread_mutex_init(&s->ring[i], &mutex);
        pthread_rwlock_init(&s->rwring[i], &rwlock);
    }
}

static void timed_setup(void)
{
    timed = true;
    ring_setup();
}

static void robust_setup(void)
{
    robustness = PTHREAD_MUTEX_ROBUST;
    timed_setup();
}

static void inheriting_setup(void)
{
    protocol = PTHREAD_PRIO_INHERIT;
    ring_setup();
}

static void inheriting_timed_setup(void)
{
    timed = true;
    inheriting_setup();
}

// They take these before the run starts: alone, a side would just walk around.

static _Thread_local int at;

// Side A writes, side B reads: each still keeps the other out.
static void rwlock_lock(int side, int index)
{
    struct timespec until = timed ? in_half_an_hour() : (struct timespec){0};
    int error;
    if (side == SIDE_A)
        error = timed ? pthread_rwlock_timedwrlock(&s->rwring[index], &until) : pthread_rwlock_wrlock(&s->rwring[index]);
    else
        error = timed ? pthread_rwlock_timedrdlock(&s->rwring[index], &until) : pthread_rwlock_rdlock(&s->rwring[index]);
    if (error != 0)
        finding(side, strerrorname_np(error));
}

static void mutex_lock(int side, int index)
{
    struct timespec until = timed ? in_half_an_hour() : (struct timespec){0};
    int error = timed ? pthread_mutex_timedlock(&s->ring[index], &until) : pthread_mutex_lock(&s->ring[index]);
    if (error != 0)
        finding(side, strerrorname_np(error));
}

static void mutex_enter(int side)
{
    mutex_lock(side, at = !side);
}

static void mutex_leave(void)
{
    pthread_mutex_unlock(&s->ring[at]);
}

static void rwlock_enter(int side)
{
    rwlock_lock(side, at = !side);
}

static void rwlock_leave(void)
{
    pthread_rwlock_unlock(&s->rwring[at]);
}

static void mutex_walk(int side, long count)
{
    for (long i = 0; i < count / 2; i++) {
        int next = (at + 1) % 3;
        mutex_lock(side, next);
        pthread_mutex_unlock(&s->ring[at]);
        at = next;
        handed_over(side);
    }
}

static void rwlock_walk(int side, long count)
{
    for (long i = 0; i < count / 2; i++) {
        int next = (at + 1) % 3;
        rwlock_lock(side, next);
        pthread_rwlock_unlock(&s->rwring[at]);
        at = next;
        handed_over(side);
    }
}

// Futex words, as Rust's std and C++20 use them -----------------------------------------------------------------------

static long futex(atomic_int *word, int operation, int value, const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation | (mode == THREADS ? FUTEX_PRIVATE_FLAG : 0), value, timeout, NULL,
                   FUTEX_BITSET_MATCH_ANY);
}

static void futex_give(int direction)
{
    atomic_store(&s->word[direction], 1);
    futex(&s->word[direction], FUTEX_WAKE, 1, NULL);
}

static void futex_take(int direction)
{
    while (atomic_exchange(&s->word[direction], 0) == 0)
        futex(&s->word[direction], FUTEX_WAIT, 0, NULL);
}

static void futex_take_timed(int direction)
{
    // Rust's wait_timeout: an absolute time on CLOCK_MONOTONIC.
    struct timespec at = to_timespec(virtual_ns() + HALF_AN_HOUR);
    while (atomic_exchange(&s->word[direction], 0) == 0)
        if (futex(&s->word[direction], FUTEX_WAIT_BITSET, 0, &at) != 0 && errno == ETIMEDOUT)
            finding(!direction, "FUTEX_WAIT_BITSET timed out");
}

const struct kind sync_kinds[] = {
    {.name = "sem", .threads_only = true, .setup = sem_setup_private, .give = sem_give, .take = sem_take},
    {.name = "sem-pshared", .setup = sem_setup_shared, .give = sem_give, .take = sem_take},
    {.name = "sem-timed", .setup = sem_setup_shared, .give = sem_give, .take = sem_take_timed},
    {.name = "cond", .threads_only = true, .setup = cond_setup_private, .give = cond_give, .take = cond_take},
    {.name = "cond-pshared", .setup = cond_setup_shared, .give = cond_give, .take = cond_take},
    {.name = "cond-broadcast", .setup = cond_setup_shared, .give = cond_give_broadcast, .take = cond_take},
    {.name = "cond-timed", .setup = cond_setup_shared, .give = cond_give, .take = cond_take_timed},
    {.name = "barrier", .setup = barrier_setup, .give = barrier_cross, .take = barrier_cross},
    {.name = "mutex", .setup = ring_setup, .enter = mutex_enter, .loop = mutex_walk, .leave = mutex_leave},
    {.name = "mutex-timed", .setup = timed_setup, .enter = mutex_enter, .loop = mutex_walk, .leave = mutex_leave},
    {.name = "mutex-robust", .setup = robust_setup, .enter = mutex_enter, .loop = mutex_walk, .leave = mutex_leave},
    {.name = "mutex-pi", .setup = inheriting_setup, .enter = mutex_enter, .loop = mutex_walk, .leave = mutex_leave},
    {.name = "mutex-pi-timed", .setup = inheriting_timed_setup, .enter = mutex_enter, .loop = mutex_walk,
     .leave = mutex_leave},
    {.name = "rwlock", .setup = ring_setup, .enter = rwlock_enter, .loop = rwlock_walk, .leave = rwlock_leave},
    {.name = "rwlock-timed", .setup = timed_setup, .enter = rwlock_enter, .loop = rwlock_walk, .leave = rwlock_leave},
    {.name = "futex", .setup = allocate, .give = futex_give, .take = futex_take},
    {.name = "futex-timed", .setup = allocate, .give = futex_give, .take = futex_take_timed},
    {.name = NULL},
};
