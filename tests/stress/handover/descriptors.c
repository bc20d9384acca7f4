// Hand-overs through descriptors: a byte (or a count) goes one way, then the other.
#include "handover.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

// By direction: who gives writes to `out`, who takes reads from `in`.
static struct {
    int in, out, epoll;
} way[2];

static void need(bool good, const char *what)
{
    if (!good)
        die(what);
}

static void pipe_setup(void)
{
    for (int d = 0; d < 2; d++) {
        int ends[2];
        need(pipe(ends) == 0, "pipe");
        way[d].in = ends[0];
        way[d].out = ends[1];
    }
}

// One connection carries both directions.
static void use_connection(int a, int b)
{
    way[0].out = way[1].in = a;
    way[0].in = way[1].out = b;
}

static void unix_setup(void)
{
    int ends[2];
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    use_connection(ends[0], ends[1]);
}

static void tcp_connect(bool delay)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = !delay, listener = socket(AF_INET, SOCK_STREAM, 0), a = socket(AF_INET, SOCK_STREAM, 0);
    need(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0, "listen");
    need(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    need(connect(a, (struct sockaddr *)&address, length) == 0, "connect");
    int b = accept(listener, NULL, NULL);
    need(b >= 0, "accept");
    setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(b, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(listener);
    use_connection(a, b);
}

static void tcp_setup(void)
{
    tcp_connect(false);
}

static void nagle_setup(void)
{
    tcp_connect(true);
}

static void epoll_setup(void)
{
    pipe_setup();
    for (int d = 0; d < 2; d++) {
        struct epoll_event event = {.events = EPOLLIN};
        way[d].epoll = epoll_create1(0);
        need(epoll_ctl(way[d].epoll, EPOLL_CTL_ADD, way[d].in, &event) == 0, "epoll_ctl");
    }
}

static void eventfd_setup(void)
{
    for (int d = 0; d < 2; d++)
        need((way[d].in = way[d].out = eventfd(0, 0)) >= 0, "eventfd");
}

static void give_byte(int direction)
{
    need(write(way[direction].out, "x", 1) == 1, "write");
}

static void take_byte(int direction)
{
    char byte;
    need(read(way[direction].in, &byte, 1) == 1, "read");
}

// Two small writes before a reply: the kernel holds the second back until the first is acknowledged, and the other end
// delays that. The data is on its way although everybody sleeps, for 40 ms of a clock that nobody may jump.
static void give_two_bytes(int direction)
{
    give_byte(direction);
    give_byte(direction);
}

static void take_two_bytes(int direction)
{
    take_byte(direction);
    take_byte(direction);
}

static void give_count(int direction)
{
    uint64_t one = 1;
    need(write(way[direction].out, &one, sizeof one) == sizeof one, "write");
}

static void take_count(int direction)
{
    uint64_t value;
    need(read(way[direction].in, &value, sizeof value) == sizeof value && value == 1, "read");
}

static void take_epoll(int direction)
{
    struct epoll_event event;
    need(epoll_wait(way[direction].epoll, &event, 1, -1) == 1, "epoll_wait");
    take_byte(direction);
}

static void take_epoll_timed(int direction)
{
    struct epoll_event event;
    if (epoll_wait(way[direction].epoll, &event, 1, (int)(HALF_AN_HOUR / 1000000)) != 1)
        finding(!direction, "epoll_wait timed out");
    take_byte(direction);
}

static void take_poll(int direction)
{
    struct pollfd one = {.fd = way[direction].in, .events = POLLIN};
    if (poll(&one, 1, (int)(HALF_AN_HOUR / 1000000)) != 1)
        finding(!direction, "poll timed out");
    take_byte(direction);
}

static void take_select(int direction)
{
    fd_set set;
    struct timeval timeout = {.tv_sec = HALF_AN_HOUR / SECOND};
    FD_ZERO(&set);
    FD_SET(way[direction].in, &set);
    if (select(way[direction].in + 1, &set, NULL, NULL, &timeout) != 1)
        finding(!direction, "select timed out");
    take_byte(direction);
}

static void receive_timeout_setup(void)
{
    struct timeval timeout = {.tv_sec = HALF_AN_HOUR / SECOND};
    unix_setup();
    for (int d = 0; d < 2; d++)
        setsockopt(way[d].in, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

static void take_received(int direction)
{
    char byte;
    if (recv(way[direction].in, &byte, 1, 0) != 1)
        finding(!direction, "recv timed out");
}

const struct kind descriptor_kinds[] = {
    {.name = "pipe", .setup = pipe_setup, .give = give_byte, .take = take_byte},
    {.name = "unix", .setup = unix_setup, .give = give_byte, .take = take_byte},
    {.name = "tcp", .setup = tcp_setup, .give = give_byte, .take = take_byte},
    {.name = "tcp-nagle", .cost = SLOW, .setup = nagle_setup, .give = give_two_bytes, .take = take_two_bytes},
    {.name = "rcvtimeo", .setup = receive_timeout_setup, .give = give_byte, .take = take_received},
    {.name = "eventfd", .setup = eventfd_setup, .give = give_count, .take = take_count},
    {.name = "epoll", .setup = epoll_setup, .give = give_byte, .take = take_epoll},
    {.name = "epoll-timed", .setup = epoll_setup, .give = give_byte, .take = take_epoll_timed},
    {.name = "poll-timed", .setup = pipe_setup, .give = give_byte, .take = take_poll},
    {.name = "select-timed", .setup = pipe_setup, .give = give_byte, .take = take_select},
    {.name = NULL},
};
