// handover [--exact] KIND COUNT [threads|processes]
// handover --list
//
// Passes a token COUNT times and says how much virtual time passed meanwhile. Natively that is the time it took. In
// frozen mode (found by two readings of the clock being the same; demanded with --exact) it must be nothing at all; in
// elapsed mode no more than really passed. In each the hour sleeper must sleep on. Exit status 1 otherwise.
// The interval is marked for whoever watches a state file meanwhile (idle.py).
#include "../../guests/idle/marks.h"
#include "handover.h"
#include <signal.h>
#include <sys/wait.h>

struct session *session;
enum mode mode = THREADS;
pid_t pids[2];
pthread_t threads[2];

static const struct kind *kind;
static const struct kind *const families[] = {sync_kinds, descriptor_kinds, queue_kinds, signal_kinds, lifecycle_kinds};
static bool exact;
static long count;
static pid_t sleeper;

void finding(int side, const char *what)
{
    char line[200];
    long long moved = virtual_ns() - atomic_load(&session->start);
    int length = snprintf(line, sizeof line, "side %c, hand-over %ld, %lld ns after the start: %s\n", 'A' + side,
                          session->side[side].done, moved, what);
    if (write(STDOUT_FILENO, line, (size_t)length) < 0) {}
    if (mode == PROCESSES) {
        kill(sleeper, SIGKILL);
        if (side == SIDE_B)
            kill(pids[SIDE_A], SIGKILL);
    }
    _exit(1);
}

bool clock_moved(void)
{
    int64_t start = atomic_load(&session->start);
    return exact && start != 0 && virtual_ns() != start;
}

void handed_over(int side)
{
    session->side[side].done++;
    int64_t start = atomic_load(&session->start);
    if (!exact || start == 0)
        return;
    int64_t now = virtual_ns();
    if (now == session->side[side].last || (session->side[side].last == 0 && now == start))
        return;
    session->side[side].last = now;
    session->side[side].moves++;
    if (session->side[side].moved_at < 0) {
        session->side[side].moved_at = session->side[side].done - WARM_UP;
        session->side[side].moved_by = now - start;
    }
}

static void pass_token(int side, long times)
{
    if (kind->loop) {
        kind->loop(side, times);
        return;
    }
    // One round is two hand-overs, one that each side sees arrive.
    for (long i = 0; i < times / 2; i++) {
        if (side == SIDE_A)
            kind->give(0);
        kind->take(side == SIDE_A ? 1 : 0);
        handed_over(side);
        if (side == SIDE_B)
            kind->give(1);
    }
}

static void *side_b(void *unused)
{
    (void)unused;
    pids[SIDE_B] = getpid();
    threads[SIDE_B] = pthread_self();
    if (kind->enter)
        kind->enter(SIDE_B);
    atomic_store(&session->side_b_ready, true);
    while (!atomic_load(&session->go))
        raw_yield();
    pass_token(SIDE_B, WARM_UP);
    pass_token(SIDE_B, count);
    if (kind->leave)
        kind->leave();
    return NULL;
}

static void side_a(long times)
{
    if (kind->alone)
        kind->alone(times);
    else
        pass_token(SIDE_A, times);
}

static void *sleep_hours(void *unused)
{
    (void)unused;
    struct timespec hour = to_timespec(3600 * SECOND);
    for (;;) {
        atomic_store(&session->sleeper_ready, true);
        if (nanosleep(&hour, NULL) == 0)
            atomic_fetch_add(&session->hour_wakes, 1);
    }
    return NULL;
}

static void start(void *(*body)(void *), pthread_t *thread, pid_t *pid)
{
    if (mode == THREADS) {
        check(pthread_create(thread, NULL, body, NULL), "pthread_create");
        return;
    }
    *pid = fork();
    if (*pid < 0)
        die("fork");
    if (*pid == 0) {
        body(NULL);
        _exit(0);
    }
}

static void end_side_b(void)
{
    int status;
    if (kind->alone)
        return;
    if (mode == THREADS) {
        if (!kind->endless_b)
            check(pthread_join(threads[SIDE_B], NULL), "pthread_join");
        return;
    }
    if (kind->endless_b)
        kill(pids[SIDE_B], SIGKILL);
    if (waitpid(pids[SIDE_B], &status, 0) != pids[SIDE_B])
        die("waitpid");
    if (!kind->endless_b && status != 0)
        finding(SIDE_A, "side B ended with an error");
}

static int verdict(int64_t virtual_passed, int64_t real_passed)
{
    long wakes = atomic_load(&session->hour_wakes);
    printf("handovers=%ld virtual_ns=%lld real_ns=%lld hour_wakes=%ld\n", count, (long long)virtual_passed,
           (long long)real_passed, wakes);
    for (int side = 0; side < 2; side++)
        if (session->side[side].moved_at >= 0)
            printf("side %c saw the clock move at hand-over %ld, by %lld ns; %ld moves in all\n", 'A' + side,
                   session->side[side].moved_at, (long long)session->side[side].moved_by, session->side[side].moves);
    if (exact)
        return wakes != 0 || virtual_passed != 0 || session->side[0].moves != 0 || session->side[1].moves != 0;
    return wakes != 0 || virtual_passed > real_passed + SECOND;
}

static bool is_frozen(void)
{
    int64_t first = virtual_ns();
    return virtual_ns() == first && virtual_ns() == first;
}

static int list(void)
{
    static const char *const costs[] = {"cheap", "creates", "slow"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (const struct kind *k = families[i]; k->name; k++)
            printf("%s %s %s\n", k->name, costs[k->cost], k->threads_only ? "threads" : "threads,processes");
    return 0;
}

static void parse(int argc, char **argv)
{
    int next = 1;
    if (next < argc && strcmp(argv[next], "--exact") == 0) {
        exact = true;
        next++;
    }
    for (size_t i = 0; next < argc && i < sizeof families / sizeof *families; i++)
        for (const struct kind *k = families[i]; k->name; k++)
            if (strcmp(k->name, argv[next]) == 0)
                kind = k;
    count = next + 1 < argc ? atol(argv[next + 1]) & ~1L : 0; // a round is two
    if (next + 2 < argc && strcmp(argv[next + 2], "processes") == 0)
        mode = PROCESSES;
    if (!kind || count <= 0 || (mode == PROCESSES && kind->threads_only)) {
        fprintf(stderr, "usage: handover [--exact] KIND COUNT [threads|processes], or handover --list\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list();
    parse(argc, argv);
    exact = exact || is_frozen();
    session = shared_memory(sizeof *session);
    session->side[0].moved_at = session->side[1].moved_at = -1;
    pids[SIDE_A] = getpid();
    threads[SIDE_A] = pthread_self();
    // Blocked in every thread that does not ask for them, the sleeper's above all.
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    sigaddset(&ours, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    kind->setup();
    struct marks *marks = find_marks();

    pthread_t sleeping_thread;
    if (kind->enter)
        kind->enter(SIDE_A);
    start(sleep_hours, &sleeping_thread, &sleeper);
    if (!kind->alone)
        start(side_b, &threads[SIDE_B], &pids[SIDE_B]);
    while (!atomic_load(&session->sleeper_ready) || (!kind->alone && !atomic_load(&session->side_b_ready)))
        raw_yield();
    atomic_store(&session->go, true);

    side_a(WARM_UP);
    atomic_store(&marks->begun, 1);
    int64_t real_start = real_ns(), start_virtual = virtual_ns();
    atomic_store(&session->start, start_virtual);
    side_a(count);
    if (kind->leave)
        kind->leave();
    end_side_b();
    if (kind->finish)
        kind->finish();
    atomic_store(&marks->over, 1);
    int64_t virtual_end = virtual_ns(), real_end = real_ns();

    int status = verdict(virtual_end - start_virtual, real_end - real_start);
    fflush(stdout);
    if (mode == PROCESSES) {
        kill(sleeper, SIGKILL);
        waitpid(sleeper, NULL, 0);
    }
    // Not exit: it would run what only a process without other threads can run safely.
    _exit(status);
}
