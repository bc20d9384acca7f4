/* Closes every descriptor by raw system calls, opens a file of its own until there are no numbers left, and sleeps a few times:
 * nobody else may have written to that file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long raw3(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

int main(void)
{
	struct stat mine;
	usleep(20000);
	raw3(SYS_close_range, 3, ~0U, 0);
	while (open("mine", O_RDWR | O_CREAT, 0600) >= 0)
		;
	for (int i = 0; i < 5; i++)
		usleep(20000);
	stat("mine", &mine);
	printf("%ld bytes\n", (long)mine.st_size);
	return 0;
}
