// victim PROGRESS_FILE CHILDREN MILLISECONDS LONGEST_NS CREATED: processes that wait in every way, for kill.py to kill and stop.
//
// Each child waits, posts, passes tokens to its own second thread, and CREATED times in a hundred forks or spawns, for so
// many real milliseconds, and counts what it did in the file, which kill.py reads. No lock is shared between children (a process killed inside one would
// hang the others without the tool, too); a semaphore and a pipe are, because those must survive. The parent reports
// how each child ended.
#include "stress.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>

struct row {
    _Atomic int64_t pid, progress;
};

static struct row *rows;
static sem_t *shared_sem;
static int ends[2];
static int64_t end_ns, longest;
static unsigned created;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER, answered = PTHREAD_COND_INITIALIZER;
static bool question, answer;

static bool time_is_up(void)
{
    return real_ns() >= end_ns;
}

static struct timespec from_now(int64_t length)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return to_timespec((int64_t)at.tv_sec * SECOND + at.tv_nsec + length);
}

static void *second_thread(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!question)
            pthread_cond_wait(&asked, &lock);
        question = false;
        answer = true;
        pthread_cond_signal(&answered);
    }
    return NULL;
}

static void ask_second_thread(int64_t length)
{
    struct timespec at = from_now(length);
    pthread_mutex_lock(&lock);
    question = true;
    pthread_cond_signal(&asked);
    while (!answer && pthread_cond_timedwait(&answered, &lock, &at) == 0) {}
    answer = false;
    pthread_mutex_unlock(&lock);
}

static void create(uint64_t *seed, int64_t length)
{
    static char *const arguments[] = {"true", NULL}, *const environment[] = {NULL};
    struct timespec t = to_timespec(length);
    pid_t grandchild;
    if (next_random(seed) % 4 == 0) {
        if (posix_spawnp(&grandchild, "true", NULL, NULL, arguments, environment) != 0)
            die("posix_spawnp");
    } else {
        grandchild = fork();
        if (grandchild == 0) {
            nanosleep(&t, NULL);
            _exit(0);
        }
    }
    if (grandchild > 0)
        waitpid(grandchild, NULL, 0);
}

static void one_wait(uint64_t *seed)
{
    if (next_random(seed) % 100 < created) {
        create(seed, (int64_t)(next_random(seed) % (uint64_t)longest) + 1);
        return;
    }
    uint64_t choice = next_random(seed) % 100;
    int64_t length = (int64_t)(next_random(seed) % (uint64_t)longest) + 1;
    struct timespec t = to_timespec(length), at = from_now(length);
    struct pollfd readable = {.fd = ends[0], .events = POLLIN};
    char byte = 'x';
    if (choice < 40) {
        nanosleep(&t, NULL);
    } else if (choice < 55) {
        sem_timedwait(shared_sem, &at);
    } else if (choice < 70) {
        sem_post(shared_sem);
    } else if (choice < 80) {
        ask_second_thread(length);
    } else if (choice < 90) {
        // The pipe does not block: what matters is that data in it wakes a poller in another process.
        if (write(ends[1], &byte, 1) < 0 && errno != EAGAIN)
            die("write");
    } else if (poll(&readable, 1, (int)(length / 1000000)) == 1 && read(ends[0], &byte, 1) < 0 && errno != EAGAIN) {
        die("read");
    }
}

static void child(int me)
{
    pthread_t thread;
    uint64_t seed = (uint64_t)getpid();
    atomic_store(&rows[me].pid, getpid());
    check(pthread_create(&thread, NULL, second_thread, NULL), "pthread_create");
    while (!time_is_up()) {
        one_wait(&seed);
        atomic_fetch_add(&rows[me].progress, 1);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    int children = atoi(argv[2]), fd = open(argv[1], O_RDWR);
    end_ns = real_ns() + atol(argv[3]) * 1000000;
    longest = atol(argv[4]);
    created = (unsigned)atoi(argv[5]);
    size_t size = (size_t)children * sizeof *rows;
    rows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || rows == MAP_FAILED || pipe2(ends, O_NONBLOCK) != 0)
        die(argv[1]);
    shared_sem = shared_memory(sizeof *shared_sem);
    sem_init(shared_sem, 1, 0);
    pid_t *pids = calloc((size_t)children, sizeof *pids);
    for (int i = 0; i < children; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            die("fork");
        if (pids[i] == 0)
            child(i);
    }
    for (int i = 0; i < children; i++) {
        int status;
        if (waitpid(pids[i], &status, 0) != pids[i])
            die("waitpid");
        printf("child %d %s %d\n", i, WIFSIGNALED(status) ? "signal" : "exit",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return 0;
}
