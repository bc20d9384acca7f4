/* Sends lines to echo_server and says how long each answer took: echo_client PORT.
 *
 * A socket's own time-out (SO_RCVTIMEO) counts virtual time too: ten minutes are too short for the first answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return fprintf(stderr, "usage: echo_client PORT\n"), 2;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
	                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 10 * 60 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		return perror("echo_client"), 1;
	for (int i = 1; i <= 3; i++) {
		char text[64], answer[64];
		int length = sprintf(text, "line %d\n", i);
		time_t start = time(NULL);
		if (write(fd, text, length) != length)
			return 1;
		ssize_t n;
		while ((n = read(fd, answer, sizeof answer)) < 0 && errno == EAGAIN)
			printf("line %d: no answer after %ld min\n", i, (time(NULL) - start) / 60);
		if (n != length || memcmp(text, answer, length) != 0)
			return 1;
		printf("line %d: answered after %ld min\n", i, (time(NULL) - start) / 60);
	}
	return close(fd);
}
