// cond_pingpong COUNT: two threads pass a turn through one mutex and two conditions; real ns a round trip.
#include "bench.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static int turn;

static void play(int me, long rounds)
{
    pthread_mutex_lock(&lock);
    for (long i = 0; i < rounds; i++) {
        while (turn != me)
            pthread_cond_wait(&changed[me], &lock);
        turn = !me;
        pthread_cond_signal(&changed[!me]);
    }
    pthread_mutex_unlock(&lock);
}

static long total;

static void *other(void *unused)
{
    (void)unused;
    play(1, total);
    return NULL;
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1), warm = count / 10 + 1;
    total = count + warm;
    pthread_t thread;
    check(pthread_create(&thread, NULL, other, NULL), "pthread_create");
    play(0, warm);
    int64_t start = real_ns();
    play(0, count);
    int64_t end = real_ns();
    check(pthread_join(thread, NULL), "pthread_join");
    report(end - start, count);
    return 0;
}
