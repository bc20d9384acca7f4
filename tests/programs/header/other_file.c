/* A second file of the same program that includes the header, and does not use all of it. */
#include <libidle.h>

#ifdef __cplusplus
extern "C"
#endif
void other_file(void);

void other_file(void)
{
	libidle_enable_forced_idle();
	libidle_disable_forced_idle();
}
