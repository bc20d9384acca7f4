/* bounce sem|cond|nap THREADS TURNS: threads in a ring hand one turn on, TURNS times in all. There is always one that
 * runs, or has just been promised its turn; so the program is never idle before it sets the second mark. Only with `nap`,
 * which is `sem` with a sleep before each turn is handed on, it is: whoever watches must see that.
 */
#include "marks.h"
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#define MOST 1024

static int threads, by_condition, naps;
static long turns;
static sem_t mine[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed[MOST];
static long turn;
static struct marks *marks;

static void wait_for(long n)
{
	int me = n % threads;
	if (!by_condition) {
		while (sem_wait(&mine[me]) != 0)
			;
		return;
	}
	pthread_mutex_lock(&lock);
	while (turn != n)
		pthread_cond_wait(&changed[me], &lock);
	pthread_mutex_unlock(&lock);
}

static void hand_on(long n)
{
	int next = (n + 1) % threads;
	if (naps)
		usleep(5000);
	if (!by_condition) {
		sem_post(&mine[next]);
		return;
	}
	pthread_mutex_lock(&lock);
	turn = n + 1;
	pthread_cond_signal(&changed[next]);
	pthread_mutex_unlock(&lock);
}

static void *play(void *first)
{
	for (long n = (long)first; n < turns; n += threads) {
		wait_for(n);
		hand_on(n);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (threads = atoi(argv[2])) < 2 || threads > MOST)
		return fprintf(stderr, "usage: bounce sem|cond|nap THREADS TURNS\n"), 2;
	by_condition = strcmp(argv[1], "cond") == 0;
	naps = strcmp(argv[1], "nap") == 0;
	turns = atol(argv[3]);
	marks = find_marks();
	atomic_store(&marks->begun, 1);
	pthread_t ids[MOST];
	for (int i = 0; i < threads; i++) {
		sem_init(&mine[i], 0, 0);
		pthread_cond_init(&changed[i], NULL);
	}
	sem_post(&mine[0]);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, play, (void *)i) != 0)
			fail("pthread_create");
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	atomic_store(&marks->over, 1);
	return 0;
}
