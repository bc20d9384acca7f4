// Does what each byte of its input says, and answers with the same byte. Between two it runs, unless it was told to wait.
#include "../guest.h"
#include "../../../libidle/include/libidle.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static sem_t never;

static void compute(int signal) {
    (void)signal;
    clock_t end = clock() + CLOCKS_PER_SEC / 2;
    while (clock() < end)
        ;
}

static void *parked(void *unused) {
    while (sem_wait(&never))
        ;
    return unused;
}

static void *ends_inside(void *unused) {
    libidle_enable_forced_busy();
    return unused;
}

static void *idle_and_gone(void *unused) {
    libidle_enable_forced_idle();
    return unused;
}

static void in_a_thread(void *(*routine)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, routine, NULL);
    pthread_join(thread, NULL);
}

int main(void) {
    pthread_t other;
    struct sigaction action = {.sa_handler = compute};
    sem_init(&never, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&other, NULL, parked, NULL);
    fcntl(0, F_SETFL, O_NONBLOCK);
    for (;;) {
        char byte;
        ssize_t got = read(0, &byte, 1);
        if (got == 0)
            return 0;
        if (got < 0)
            continue;
        switch (byte) {
        case 'I': libidle_enable_forced_idle(); break;
        case 'i': libidle_disable_forced_idle(); break;
        case 'B': libidle_enable_forced_busy(); break;
        case 'b': libidle_disable_forced_busy(); break;
        case 't': in_a_thread(ends_inside); break;
        case 'u': in_a_thread(idle_and_gone); break;
        case 's': pthread_kill(other, SIGUSR1); break;
        default: break;
        }
        if (write(1, &byte, 1) != 1)
            return 1;
        if (byte == 'w') {
            struct pollfd input = {.fd = 0, .events = POLLIN};
            poll(&input, 1, -1);
        }
    }
}
