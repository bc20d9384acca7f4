/* Precise clocks never go back, in no thread and no process, while others sleep; coarse ones are never ahead of precise ones. */
#include "guest.h"

static int64_t *latest;
static volatile bool stop;

static void read_often(int count)
{
	for (int i = 0; i < count; i++) {
		/* What was seen anywhere before this read must not be later than it. */
		int64_t seen = __atomic_load_n(latest, __ATOMIC_SEQ_CST);
		int64_t coarse = now_on(CLOCK_MONOTONIC_COARSE);
		int64_t now = now_on(CLOCK_MONOTONIC);
		if (now < seen)
			say("FAIL back by %lld ns", (long long)(seen - now));
		if (coarse > now)
			say("FAIL coarse ahead by %lld ns", (long long)(coarse - now));
		while (seen < now && !__atomic_compare_exchange_n(latest, &seen, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}

static void *reader(void *unused)
{
	read_often(FEWER(20000, 400));
	return unused;
}

static void *sleeper(void *unused)
{
	while (!stop)
		nap(0.05);
	return unused;
}

int main(void)
{
	latest = shared(sizeof *latest);
	pthread_t sleeping = thread(sleeper, NULL);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		for (int i = 0; i < 20; i++) {
			read_often(FEWER(500, 50));
			nap(0.1);
		}
		_exit(0);
	}
	for (int i = 0; i < 10; i++) {
		pthread_t t = thread(reader, NULL);
		read_often(FEWER(10000, 200));
		nap(0.1);
		join(t);
	}
	say("child %d", reap(child));
	stop = true;
	join(sleeping);

	/* The wall clock as well. */
	int64_t last = 0;
	struct timeval day;
	for (int i = 0; i < FEWER(20000, 400); i++) {
		int64_t now = now_on(CLOCK_REALTIME);
		if (now < last)
			say("FAIL the wall clock went back");
		gettimeofday(&day, NULL);
		if (day.tv_sec * SECOND + day.tv_usec * 1000LL < now / 1000 * 1000)
			say("FAIL gettimeofday is behind");
		last = now;
	}
	return 0;
}
