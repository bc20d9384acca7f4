/* Many reads by four threads, by every way, while two others sleep: what one has seen, no other one sees later. */
#include "guest.h"
#include "vdso.h"

enum { READERS = 4, READS = FEWER(250000, 2000), NAPS = 50 };
static read_clock own;
static read_day own_day;
static int64_t latest[2];
static volatile bool stop;

static void see(int which, int64_t seen, int64_t now)
{
	if (now < seen)
		say("FAIL back by %lld ns", (long long)(seen - now));
	while (seen < now && !__atomic_compare_exchange_n(&latest[which], &seen, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void *reader(void *unused)
{
	for (int i = 0; i < READS; i++) {
		int64_t seen = __atomic_load_n(&latest[0], __ATOMIC_SEQ_CST);
		see(0, seen, i % 2 ? now_by(own, CLOCK_MONOTONIC) : now_on(CLOCK_MONOTONIC));
		if (i % 8 == 0) {
			struct timeval day;
			seen = __atomic_load_n(&latest[1], __ATOMIC_SEQ_CST);
			own_day(&day, NULL);
			see(1, seen, day.tv_sec * 1000000 + day.tv_usec);
		}
		if (i % (READS / NAPS) == 0)
			nap(0.01);
	}
	return unused;
}

static void *sleeper(void *unused)
{
	while (!stop)
		nap(0.1);
	return unused;
}

int main(void)
{
	own = own_vdso_function("__vdso_clock_gettime");
	own_day = own_vdso_function("__vdso_gettimeofday");
	pthread_t sleepers[2] = { thread(sleeper, NULL), thread(sleeper, NULL) }, readers[READERS];
	for (int i = 0; i < READERS; i++)
		readers[i] = thread(reader, NULL);
	for (int i = 0; i < READERS; i++)
		join(readers[i]);
	stop = true;
	for (int i = 0; i < 2; i++)
		join(sleepers[i]);
	say("done");
	return 0;
}
