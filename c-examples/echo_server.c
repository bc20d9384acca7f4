/* Answers each line on a TCP connection, a quarter of an hour after it came: echo_server PORT. Ends with its client.
 *
 * Promise: programs of a session that talk to each other wait for each other, never for the clock. See echo_client.c.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return fprintf(stderr, "usage: echo_server PORT\n"), 2;
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
	                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0)
		return perror("echo_server"), 1;
	int client = accept(listener, NULL, NULL);
	char text[256];
	ssize_t n;
	while ((n = read(client, text, sizeof text)) > 0) {
		sleep(15 * 60);
		if (write(client, text, n) != n)
			break;
	}
	return 0;
}
