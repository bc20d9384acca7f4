// Hand-overs by an end: of a thread, of a process, of what a process held open. Each makes what it then waits for, so
// side A is alone here (with the sleeper), and the new one looks at the clock too.
#include "handover.h"
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#define CLOCK_HAD_MOVED 7
#define SLEEP_HAD_ENDED 8

extern char **environ;

static void no_setup(void) {}

static void *look_at_clock(void *unused)
{
    (void)unused;
    return (void *)(long)clock_moved();
}

static void joins(long count)
{
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        void *moved;
        check(pthread_create(&thread, NULL, look_at_clock, NULL), "pthread_create");
        check(pthread_join(thread, &moved), "pthread_join");
        handed_over(SIDE_A);
        if (moved)
            finding(SIDE_A, "a new thread saw that the clock had moved");
    }
}

static void reap(pid_t child, int expected)
{
    int status;
    if (waitpid(child, &status, 0) != child)
        die("waitpid");
    handed_over(SIDE_A);
    if (status == CLOCK_HAD_MOVED << 8)
        finding(SIDE_A, "a new process saw that the clock had moved");
    if (status == SLEEP_HAD_ENDED << 8)
        finding(SIDE_A, "a killed process slept its half hour to the end");
    if (status != expected) {
        fprintf(stderr, "stress: a child ended with status %#x\n", status);
        finding(SIDE_A, "a child ended in another way than it should");
    }
}

static pid_t made_child(void)
{
    pid_t child = fork();
    if (child < 0)
        die("fork");
    return child;
}

static void waits(long count)
{
    for (long i = 0; i < count; i++) {
        pid_t child = made_child();
        if (child == 0)
            _exit(clock_moved() ? CLOCK_HAD_MOVED : 0);
        reap(child, 0);
    }
}

static void ends_of_file(long count)
{
    for (long i = 0; i < count; i++) {
        int ends[2];
        char byte;
        if (pipe(ends) != 0)
            die("pipe");
        pid_t child = made_child();
        if (child == 0) {
            // It keeps the writing end, and closes it by exiting.
            _exit(clock_moved() ? CLOCK_HAD_MOVED : 0);
        }
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 0)
            finding(SIDE_A, "data where the end of the file should be");
        if (clock_moved())
            finding(SIDE_A, "the clock had moved at the end of the file");
        close(ends[0]);
        reap(child, 0);
    }
}

static void spawns(long count)
{
    char *command[] = {"true", NULL};
    for (long i = 0; i < count; i++) {
        pid_t child;
        check(posix_spawnp(&child, "true", NULL, NULL, command, environ), "posix_spawnp");
        reap(child, 0);
    }
}

// As in `sleep 3600 & kill $!; wait`: the child is asleep, has a deadline, and is about to be gone.
static void kills(long count)
{
    for (long i = 0; i < count; i++) {
        int number = i % 2 ? SIGTERM : SIGKILL;
        pid_t child = made_child();
        if (child == 0) {
            struct timespec length = to_timespec(HALF_AN_HOUR);
            nanosleep(&length, NULL);
            _exit(SLEEP_HAD_ENDED);
        }
        if (i % 4 >= 2) // half of them have time to fall asleep
            for (int64_t end = real_ns() + 200000; real_ns() < end;)
                raw_yield();
        kill(child, number);
        reap(child, number);
    }
}

const struct kind lifecycle_kinds[] = {
    {.name = "join", .cost = CREATES, .setup = no_setup, .alone = joins},
    {.name = "wait", .cost = CREATES, .setup = no_setup, .alone = waits},
    {.name = "eof", .cost = CREATES, .setup = no_setup, .alone = ends_of_file},
    {.name = "spawn", .cost = CREATES, .setup = no_setup, .alone = spawns},
    {.name = "kill-wait", .cost = CREATES, .setup = no_setup, .alone = kills},
    {.name = NULL},
};
