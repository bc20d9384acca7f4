/* getaddrinfo(3) asks a name server that never answers, and gives up after a second: its poll is inside libc. */
#include "guest.h"
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int server = socket(AF_INET, SOCK_DGRAM, 0);
	MUST(server >= 0 && bind(server, (struct sockaddr *)&address, size) == 0);
	MUST(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	MUST(res_init() == 0);
	_res.nscount = 1;
	_res.nsaddr_list[0] = address;
	_res.retrans = 1;
	_res.retry = 1;

	struct addrinfo hints = { .ai_family = AF_INET }, *found;
	int64_t before = now_on(CLOCK_MONOTONIC);
	int error = getaddrinfo("nobody.invalid.", "80", &hints, &found);
	int64_t took = now_on(CLOCK_MONOTONIC) - before;
	char question[512];
	say("%s, asked: %d", error == EAI_AGAIN ? "EAI_AGAIN" : gai_strerror(error), recv(server, question, sizeof question, MSG_DONTWAIT) > 0);
	say("%s", took < SECOND ? "EARLY" : took < 30 * SECOND ? "in time" : "late");
	return 0;
}
