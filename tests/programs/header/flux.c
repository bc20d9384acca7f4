/* All calls of flux.h, in C and in C++, without a session. */
#include <flux.h>
#include <stdio.h>

int main(void)
{
	uint64_t now = flux_now(), real = flux_real_now();
	int hold = flux_hold("nobody");
	int released = flux_release(hold), not_held = flux_release(0), rest = flux_at_rest(1000);
	printf("%d %d %d %d %d %d %d\n", flux_active(), now > 0, real >= now, hold, released, not_held, rest);
	return 0;
}
