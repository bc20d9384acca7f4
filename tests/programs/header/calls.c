/* All four calls of libidle.h from several threads, in C and in C++. Prints nothing. */
#include <libidle.h>
#include <pthread.h>
#include <stddef.h>

#define THREADS 8

#ifdef __cplusplus
extern "C"
#endif
void other_file(void);

static void *calls(void *unused)
{
	int i;
	for (i = 0; i < 1000; i++) {
		libidle_enable_forced_idle();
		libidle_enable_forced_busy();
		other_file();
		libidle_disable_forced_busy();
		libidle_disable_forced_idle();
	}
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];
	int i;
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, calls, NULL) != 0)
			return 1;
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
