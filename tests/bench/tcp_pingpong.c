// tcp_pingpong COUNT: two processes pass 64 bytes over loopback TCP, poll(…, 5000) before each read;
// real ns a round trip.
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

static char bytes[64];

static void take(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    size_t have = 0;
    while (have < sizeof bytes) {
        if (poll(&one, 1, 5000) != 1) {
            errno = ETIMEDOUT;
            die("poll");
        }
        ssize_t got = read(fd, bytes + have, sizeof bytes - have);
        if (got <= 0)
            die("read");
        have += (size_t)got;
    }
}

static void give(int fd)
{
    if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        die("write");
}

static void without_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int main(int argc, char **argv)
{
    long count = number(argc, argv, 1), warm = count / 10 + 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1) != 0
        || getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("listen");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, length) != 0)
            die("connect");
        without_delay(fd);
        for (long i = 0; i < count + warm; i++) {
            take(fd);
            give(fd);
        }
        _exit(0);
    }
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    without_delay(fd);
    int64_t start = 0;
    for (long i = 0; i < count + warm; i++) {
        if (i == warm)
            start = real_ns();
        give(fd);
        take(fd);
    }
    int64_t end = real_ns();
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "bench: the other side ended with status %#x\n", status);
        return 1;
    }
    report(end - start, count);
    return 0;
}
