/* reader FILE: prints the number if nobody holds the lock, else "busy". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char text[32] = "";
	int fd = open(argv[argc - 1], O_RDONLY);
	if (fd < 0)
		return perror(argv[argc - 1]), 2;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? printf("busy\n"), 0 : 1;
	if (read(fd, text, sizeof text - 1) < 0)
		return perror("read"), 2;
	printf("%s", text);
	return 0;
}
