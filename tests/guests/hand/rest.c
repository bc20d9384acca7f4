// Waits for rest: of a thread and of a child that compute and then sleep; in vain beside one that computes for ever; and
// interrupted by a signal.
#include "../../../libflux/include/flux.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int *done;
static volatile int stop;

static void compute(void) {
    for (volatile int i = 0; i < 20000000; i++)
        ;
}

static void *works(void *at) {
    int i = (int)(long)at;
    compute();
    done[i] = 1;
    sleep(3600);
    compute();
    done[i] = 2;
    return NULL;
}

static void *waits_too(void *unused) {
    done[2] = flux_at_rest(20000) == 0 ? done[0] + done[1] : -1;
    return unused;
}

static void *for_ever(void *unused) {
    while (!stop)
        ;
    return unused;
}

static void handler(int signal) {
    (void)signal;
}

static void *sends(void *to) {
    uint64_t until = flux_real_now() + 50000000;
    while (flux_real_now() < until)
        ;
    pthread_kill(*(pthread_t *)to, SIGUSR1);
    while (!stop)
        ;
    return NULL;
}

int main(void) {
    pthread_t worker, other, self = pthread_self();
    done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t from = flux_now();
    pthread_create(&worker, NULL, works, (void *)0L);
    pthread_create(&other, NULL, waits_too, NULL);
    pid_t child = fork();
    if (child == 0) {
        works((void *)1L);
        _exit(0);
    }
    int told = flux_at_rest(20000);
    int hours = (int)((flux_now() - from) / 3600000000000u);
    printf("at rest: %d, %d %d after %d h\n", told, done[0], done[1], hours);
    pthread_join(other, NULL);
    printf("the other waiter: %d\n", done[2]);
    sleep(3601);
    told = flux_at_rest(20000);
    hours = (int)((flux_now() - from) / 3600000000000u);
    printf("at rest: %d, %d %d after %d h\n", told, done[0], done[1], hours);
    pthread_join(worker, NULL);
    waitpid(child, NULL, 0);

    pthread_create(&worker, NULL, for_ever, NULL);
    told = flux_at_rest(50);
    printf("beside one that computes: %d, %s\n", told, strerror(errno));
    stop = 1;
    pthread_join(worker, NULL);

    stop = 0;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&worker, NULL, sends, &self);
    told = flux_at_rest(-1);
    printf("interrupted: %d, %s\n", told, strerror(errno));
    stop = 1;
    pthread_join(worker, NULL);
    return 0;
}
