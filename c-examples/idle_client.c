/* Asks the service on a port of this machine three questions, then waits for the end of its standard input: idle_client PORT.
 *
 * Promise: forced busy while it waits for an answer, it does not look idle to a test that plays the service, until all is
 * done. Without libidle.so the calls do nothing. See idle_driver.c.
 */
#include <arpa/inet.h>
#include <libidle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		return fprintf(stderr, "usage: idle_client PORT\n"), 2;
	static const char *const questions[] = { "who\n", "where\n", "when\n" };
	int service = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[1])),
	                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (connect(service, (struct sockaddr *)&address, sizeof address) != 0)
		return perror("idle_client"), 1;
	for (int i = 0; i < 3; i++) {
		char answer[256];
		libidle_enable_forced_busy();
		if (write(service, questions[i], strlen(questions[i])) < 0 || read(service, answer, sizeof answer) <= 0)
			return 1;
		libidle_disable_forced_busy();
	}
	char byte;
	return read(0, &byte, 1) != 0;
}
