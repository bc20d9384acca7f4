// repeat: 1 000 waits in 10 threads and 4 processes, of lengths that are different and always the same.
//
// Prints, thread by thread, the virtual time at which each wait ended (in ns since the program's start) and the place
// it took among all that ended. In frozen mode every run prints the same. Natively, and in elapsed mode, the times are
// a little later each time; but no wait ends before it is due: exit status 1 if one does, and in frozen mode also if
// one ends late.
//
//   repeat [SHORTEN]   divides all lengths, for a native run
#include "stress.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/select.h>
#include <sys/wait.h>

enum { PROCESSES = 4, THREADS = 10, WAITS = 100 };

static const int threads_of[PROCESSES] = {3, 3, 2, 2};

static struct shared {
    atomic_long place;
    atomic_long early, late, failed;
    struct {
        int64_t due, ended; // since the start
        long place;
        int way;
    } wait[THREADS][WAITS];
} *s;

static int64_t start, shorten = 1;
static bool frozen;

static int64_t now(void)
{
    return virtual_ns() - start;
}

static struct timespec real_time_in(int64_t length)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return to_timespec((int64_t)at.tv_sec * SECOND + at.tv_nsec + length);
}

// Every way a program usually waits, none of them interrupted. Lengths come in the unit of the call that takes them.
enum { WAYS = 7 };

static bool wait_by(int way, int64_t length)
{
    struct timespec t = to_timespec(length), at;
    struct timeval tv = {.tv_sec = length / SECOND, .tv_usec = length % SECOND / 1000};
    pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    sem_t sem;
    switch (way) {
    case 0:
        return nanosleep(&t, NULL) == 0;
    case 1:
        at = to_timespec(virtual_ns() + length);
        return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0;
    case 2:
        return usleep((useconds_t)(length / 1000)) == 0;
    case 3:
        return poll(NULL, 0, (int)(length / 1000000)) == 0;
    case 4:
        return select(0, NULL, NULL, NULL, &tv) == 0;
    case 5:
        at = real_time_in(length);
        pthread_mutex_lock(&mine);
        bool timed_out = pthread_cond_timedwait(&cond, &mine, &at) == ETIMEDOUT;
        pthread_mutex_unlock(&mine);
        return timed_out;
    default:
        at = real_time_in(length);
        sem_init(&sem, 0, 0);
        return sem_timedwait(&sem, &at) == -1 && errno == ETIMEDOUT;
    }
}

static int64_t in_unit_of(int way, int64_t length)
{
    int64_t unit = way == 3 ? 1000000 : way == 2 || way == 4 ? 1000 : 1;
    return (length + unit - 1) / unit * unit;
}

static void *waits(void *index)
{
    long me = (long)index;
    uint64_t seed = (uint64_t)me + 1;
    for (int i = 0; i < WAITS; i++) {
        int way = (int)(next_random(&seed) % WAYS);
        int64_t length = in_unit_of(way, (int64_t)(next_random(&seed) % (10 * SECOND)) / shorten + 1);
        int64_t due = now() + length;
        if (!wait_by(way, length))
            atomic_fetch_add(&s->failed, 1);
        int64_t ended = now();
        s->wait[me][i].place = atomic_fetch_add(&s->place, 1);
        s->wait[me][i].due = due;
        s->wait[me][i].ended = ended;
        s->wait[me][i].way = way;
        atomic_fetch_add(&s->early, ended < due);
        atomic_fetch_add(&s->late, ended > due);
    }
    return NULL;
}

static void process(long first, int count)
{
    pthread_t ids[THREADS];
    for (int i = 1; i < count; i++)
        check(pthread_create(&ids[i], NULL, waits, (void *)(first + i)), "pthread_create");
    waits((void *)first);
    for (int i = 1; i < count; i++)
        check(pthread_join(ids[i], NULL), "pthread_join");
}

static void print_all(void)
{
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < WAITS; i++)
            printf("thread %d wait %d way %d: %lld place %ld%s\n", t, i, s->wait[t][i].way,
                   (long long)s->wait[t][i].ended, s->wait[t][i].place,
                   s->wait[t][i].ended < s->wait[t][i].due ? " EARLY" : "");
    printf("all over at %lld\n", (long long)now());
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        shorten = atol(argv[1]);
    s = shared_memory(sizeof *s);
    frozen = virtual_ns() == virtual_ns();
    start = virtual_ns();
    long first = threads_of[0];
    pid_t children[PROCESSES];
    for (int p = 1; p < PROCESSES; first += threads_of[p++]) {
        children[p] = fork();
        if (children[p] < 0)
            die("fork");
        if (children[p] == 0) {
            process(first, threads_of[p]);
            _exit(0);
        }
    }
    process(0, threads_of[0]);
    for (int p = 1; p < PROCESSES; p++) {
        int status;
        if (waitpid(children[p], &status, 0) != children[p] || status != 0) {
            fprintf(stderr, "stress: a process ended with status %#x\n", status);
            return 2;
        }
    }
    print_all();
    long early = atomic_load(&s->early), late = atomic_load(&s->late), failed = atomic_load(&s->failed);
    if (early || failed || (frozen && late)) {
        fprintf(stderr, "stress: %ld waits ended early, %ld late, %ld not by their time-out\n", early, late, failed);
        return 1;
    }
    return 0;
}
