/* It is forced idle before it has waited for anything, and computes for as long as it is let. */
#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

int main(void)
{
	void (*idle)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "libidle_enable_forced_idle");
	alarm(600);
	if (idle)
		idle();
	for (volatile long n = 0;; n++)
		;
}
