// sem_pair THREADS COUNT: each thread posts and waits on a semaphore of its own; real ns a pair of calls.
//
// Nobody ever blocks, so whatever grows with the number of threads is something they share inside the tool.
#include "bench.h"
#include <pthread.h>
#include <semaphore.h>

#define MOST_THREADS 64

static struct {
    sem_t sem;
    int64_t took;
    char apart[256 - sizeof(sem_t) - sizeof(int64_t)]; // no line of memory is shared between two threads
} lanes[MOST_THREADS] __attribute__((aligned(256)));

static pthread_barrier_t ready;
static long count;

static void pairs(sem_t *sem, long n)
{
    for (long i = 0; i < n; i++) {
        sem_post(sem);
        sem_wait(sem);
    }
}

static void *lane(void *index)
{
    long me = (long)index;
    pairs(&lanes[me].sem, count / 10 + 1);
    pthread_barrier_wait(&ready);
    int64_t start = real_ns();
    pairs(&lanes[me].sem, count);
    lanes[me].took = real_ns() - start;
    return NULL;
}

int main(int argc, char **argv)
{
    long threads = number(argc, argv, 1);
    count = number(argc, argv, 2);
    if (threads > MOST_THREADS)
        return 2;
    pthread_t ids[MOST_THREADS];
    pthread_barrier_init(&ready, NULL, (unsigned)threads);
    for (long i = 0; i < threads; i++)
        sem_init(&lanes[i].sem, 0, 0);
    for (long i = 1; i < threads; i++)
        check(pthread_create(&ids[i], NULL, lane, (void *)i), "pthread_create");
    lane((void *)0);
    // The fastest lane counts: a core that something else uses for a while slows one lane, a contended line all.
    int64_t best = lanes[0].took;
    for (long i = 1; i < threads; i++) {
        check(pthread_join(ids[i], NULL), "pthread_join");
        best = lanes[i].took < best ? lanes[i].took : best;
    }
    report(best, count);
    return 0;
}
