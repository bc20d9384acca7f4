// A storm of signals over groups of processes that make threads and children all the time, execute programs from threads
// that are not the leader, and end by themselves now and then: each group is stopped, continued and killed at random moments.
// Then nobody is left but the program itself, and an hour of sleep must pass as for a program that has never had children:
// whoever of them is still counted as busy would hold it for ever.
//
//     storm SEED GROUPS SECONDS
//
// Prints how long the last sleep took. `storm again` is what the groups execute.
#include "stress.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { ENDS_BY_EXEC, ENDS_BY_EXIT, STAYS, ENDINGS };

static void sleep_us(long us)
{
    struct timespec t = to_timespec(us * 1000);
    nanosleep(&t, NULL);
}

static void *naps(void *us)
{
    for (;;)
        sleep_us((long)us);
    return NULL;
}

static void *nothing(void *unused)
{
    sched_yield();
    return unused;
}

static void start(void *(*routine)(void *), long argument)
{
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    // A group that is being killed may have reached a limit; it goes on with fewer.
    pthread_create(&thread, &detached, routine, (void *)argument);
    pthread_attr_destroy(&detached);
}

// Threads, and children where told, one after the other.
static void *makes(void *children)
{
    for (;;) {
        start(nothing, 0);
        if (children) {
            pid_t child = fork();
            if (child == 0)
                _exit(0);
            if (child > 0)
                waitpid(child, NULL, 0);
        }
    }
    return NULL;
}

static void *executes(void *us)
{
    sleep_us((long)us);
    execl("/proc/self/exe", "storm", "again", (char *)NULL);
    return NULL;
}

// What was executed executes itself anew, from another thread each time.
static void again(void)
{
    start(naps, 50);
    start(executes, getpid() % 300);
    for (;;)
        pause();
}

static void group(int number, uint64_t random)
{
    setpgid(0, 0);
    start(naps, 10);
    start(naps, 100);
    start(makes, false);
    start(makes, true);
    if (fork() == 0)
        executes((void *)1L);
    if (number % ENDINGS == ENDS_BY_EXEC)
        start(executes, 500);
    if (number % ENDINGS == ENDS_BY_EXIT) {
        sleep_us((long)(random % 2000));
        _exit(0);
    }
    for (;;)
        pause();
}

// By the processor alone: a sleep would be over before the group has done anything, and traced programs read no real clock.
static void let_pass(uint64_t rounds)
{
    for (volatile uint64_t left = rounds; left > 0; left--)
        ;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "again") == 0)
        again();
    if (argc != 4) {
        fprintf(stderr, "usage: storm SEED GROUPS SECONDS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    int groups = atoi(argv[2]);
    check(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
    for (int number = 0; number < groups; number++) {
        uint64_t chance = next_random(&random);
        pid_t leader = fork();
        if (leader == 0)
            group(number, chance);
        if (leader < 0)
            die("fork");
        // It may not have done so itself yet; where it has, and executed a program, this fails.
        setpgid(leader, leader);
        let_pass(next_random(&random) % 3000000);
        if (next_random(&random) % 3 == 0) {
            kill(-leader, SIGSTOP);
            let_pass(next_random(&random) % 100000);
            kill(-leader, SIGCONT);
            let_pass(next_random(&random) % 100000);
        }
        // Its members make others meanwhile.
        while (kill(-leader, SIGKILL) == 0 || errno == EPERM) {
            while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
            sched_yield();
        }
        while (waitpid(-1, NULL, 0) > 0)
            ;
    }
    struct timespec last = to_timespec(atoi(argv[3]) * SECOND);
    int64_t before = virtual_ns();
    nanosleep(&last, NULL);
    printf("slept %lld\n", (long long)((virtual_ns() - before) / SECOND));
    return 0;
}
