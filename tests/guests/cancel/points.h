/* Cancellation points as a table: each is cancelled while it blocks, and entered with a cancellation already pending. */
#ifndef POINTS_H
#define POINTS_H

#include "guest.h"

struct point {
	const char *name;
	void (*block)(void);
	/* Runs as cleanup handler, and once more the other way round; may be missing. */
	void (*cleanup)(void);
};

static int cleaned;
static volatile bool pending;

static void clean(void *argument)
{
	struct point *p = argument;
	cleaned++;
	if (p->cleanup)
		p->cleanup();
	/* What runs while a thread is unwound may wait as well. */
	nap(0.1);
}

static void *while_blocked(void *argument)
{
	struct point *p = argument;
	pthread_cleanup_push(clean, p);
	p->block();
	say("FAIL %s came back (%s)", p->name, name(errno));
	pthread_cleanup_pop(0);
	return NULL;
}

static void *already_pending(void *argument)
{
	struct point *p = argument;
	int state;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (!pending)
		nap(0.1);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	pthread_cleanup_push(clean, p);
	p->block();
	say("FAIL %s came back (%s)", p->name, name(errno));
	pthread_cleanup_pop(0);
	return NULL;
}

static void try_points(struct point *points, int count)
{
	for (struct point *p = points; p < points + count; p++) {
		cleaned = 0;
		start();
		pthread_t t = thread(while_blocked, p);
		nap(1.3);
		int error = pthread_cancel(t);
		bool cancelled = join(t) == PTHREAD_CANCELED;
		say("%s: %s, cancelled %d, cleaned %d, after %d", p->name, name(error), cancelled, cleaned, after(1));

		cleaned = 0;
		pending = false;
		t = thread(already_pending, p);
		pthread_cancel(t);
		start();
		pending = true;
		cancelled = join(t) == PTHREAD_CANCELED;
		say("    pending: cancelled %d, cleaned %d, after %d", cancelled, cleaned, after(0));
	}
}

#define TRY(points) try_points(points, sizeof points / sizeof *points)

#endif
