// The hand-over stress: a token goes back and forth between two sides, over every primitive that can wake somebody,
// beside a thread or process that sleeps an hour at a time. If anybody ever counts as idle between being promised a
// wake-up and running, the clock jumps that hour: so the hour is the detector.
#ifndef FLUX_HANDOVER_H
#define FLUX_HANDOVER_H

#include "../stress.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

// Longer than any run, shorter than the sleeper's hour: a timed wait that ends with a time-out was ended by a jump.
#define HALF_AN_HOUR (1800 * SECOND)

enum { SIDE_A, SIDE_B };
enum mode { THREADS, PROCESSES };
enum cost { CHEAP, CREATES, SLOW }; // how many of them a driver can afford

struct kind {
    const char *name;
    enum cost cost;
    bool threads_only; // what it waits for cannot be shared between processes
    bool endless_b;    // side B waits forever and is ended from outside

    // Called once, before there is a second thread or process.
    void (*setup)(void);
    // Called once, when the other side has ended; may be NULL.
    void (*finish)(void);
    // Two sides with a token: give(d) hands it over in direction d (0 from A to B, 1 back), take(d) waits for it.
    void (*give)(int direction);
    void (*take)(int direction);
    // Or: two sides with a loop of their own, which calls handed_over(side) `count` times.
    void (*loop)(int side, long count);
    // What a side holds from before the start to its end; may be NULL.
    void (*enter)(int side);
    void (*leave)(void);
    // Or: side A alone, making whoever it waits for each time.
    void (*alone)(long count);
};

extern const struct kind sync_kinds[], descriptor_kinds[], queue_kinds[], signal_kinds[], lifecycle_kinds[];

// What all processes of a run share; lives in shared memory.
struct session {
    atomic_bool side_b_ready, sleeper_ready, go;
    _Atomic int64_t start; // virtual time at which the measured interval starts; 0 before
    atomic_long hour_wakes;
    struct {
        long done;           // hand-overs made, warm-up included
        long moved_at;       // first one after which the clock had moved; -1 for none
        int64_t moved_by;    // and by how much
        long moves;          // how often it moved
        int64_t last;        // its last reading
    } side[2];
};

extern struct session *session;
extern enum mode mode;
extern pid_t pids[2];
extern pthread_t threads[2];

// Hand-overs before the measured interval: both sides have then run, and the sleeper sleeps.
#define WARM_UP 100

// One more hand-over has arrived at this side: looks whether the clock has moved. Safe in a signal handler.
void handed_over(int side);
// Whether this reading of the clock belongs to the measured interval and differs from its start.
bool clock_moved(void);
// Says what was found and ends the whole run with status 1.
__attribute__((noreturn)) void finding(int side, const char *what);

#endif
