"""Every way in which a Python program in one process waits: waits.py CASE UNIT SLACK."""

import errno
import http.server
import queue
import select
import socket
import struct
import threading
import time
import urllib.request

from units import UNIT, Watch, run


def sleep():
    watch = Watch()
    time.sleep(UNIT)
    watch.expect("sleep", 1)
    threads = [threading.Thread(target=time.sleep, args=(n * UNIT,)) for n in (1, 3, 2)]
    watch.restart()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.expect("three sleeping threads", 3)


def readiness(wait):
    """`wait(socket, seconds)` must time out, and end when a byte comes; both at the right time."""
    ours, theirs = socket.socketpair()
    watch = Watch()
    ready = wait(ours, UNIT)
    watch.expect(f"nothing ready {ready}", 1)

    def send_later():
        time.sleep(2 * UNIT)
        theirs.send(b"x")

    sender = threading.Thread(target=send_later)
    watch.restart()
    sender.start()
    ready = wait(ours, 5 * UNIT)
    watch.expect(f"ready {ready}", 2)
    sender.join()


def by_select():
    readiness(lambda s, t: len(select.select([s], [], [], t)[0]))


def by_poll():
    def wait(s, t):
        poll = select.poll()
        poll.register(s, select.POLLIN)
        return len(poll.poll(t * 1000))

    readiness(wait)


def by_epoll():
    def wait(s, t):
        with select.epoll() as epoll:
            epoll.register(s, select.EPOLLIN)
            return len(epoll.poll(t))

    readiness(wait)


def event():
    happened = threading.Event()
    watch = Watch()
    answer = happened.wait(UNIT)
    watch.expect(f"event timed out {answer}", 1)
    setter = threading.Thread(target=lambda: (time.sleep(2 * UNIT), happened.set()))
    watch.restart()
    setter.start()
    answer = happened.wait()
    watch.expect(f"event set {answer}", 2)
    setter.join()


def condition():
    condition = threading.Condition()
    state = []
    watch = Watch()
    with condition:
        answer = condition.wait(UNIT)
    watch.expect(f"condition timed out {answer}", 1)

    def notifier():
        for step in range(3):
            time.sleep(UNIT)
            with condition:
                state.append(step)
                condition.notify_all()

    thread = threading.Thread(target=notifier)
    watch.restart()
    thread.start()
    with condition:
        answer = condition.wait_for(lambda: len(state) == 3, timeout=10 * UNIT)
    watch.expect(f"condition came true {answer}", 3)
    thread.join()


def timer():
    fired = threading.Event()
    watch = Watch()
    threading.Timer(2 * UNIT, fired.set).start()
    fired.wait()
    watch.expect("timer", 2)
    cancelled = threading.Timer(9 * UNIT, print, ["a cancelled timer fired"])
    watch.restart()
    cancelled.start()
    time.sleep(UNIT)
    cancelled.cancel()
    cancelled.join()
    watch.expect("timer cancelled", 1)


def lock():
    lock = threading.Lock()
    held = threading.Event()

    def holder():
        with lock:
            held.set()
            time.sleep(3 * UNIT)

    thread = threading.Thread(target=holder)
    watch = Watch()
    thread.start()
    held.wait()
    answer = lock.acquire(timeout=UNIT)
    watch.expect(f"lock timed out {answer}", 1)
    answer = lock.acquire()
    watch.expect(f"lock taken {answer}", 3)
    thread.join()


def queues():
    channel = queue.Queue(maxsize=1)
    watch = Watch()
    try:
        channel.get(timeout=UNIT)
    except queue.Empty:
        watch.expect("queue empty", 1)

    def produce():
        for number in range(3):
            time.sleep(UNIT)
            channel.put(number)

    thread = threading.Thread(target=produce)
    watch.restart()
    thread.start()
    items = [channel.get(timeout=9 * UNIT) for _ in range(3)]
    watch.expect(f"queue items {items}", 3)
    thread.join()
    channel.put("full")
    watch.restart()
    try:
        channel.put("one too many", timeout=UNIT)
    except queue.Full:
        watch.expect("queue full", 1)


def tcp_pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


def socket_timeout():
    client, server = tcp_pair()
    client.settimeout(UNIT)
    watch = Watch()
    try:
        client.recv(1)
    except TimeoutError:
        watch.expect("recv timed out", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(UNIT)
        watch.restart()
        try:
            listener.accept()
        except TimeoutError:
            watch.expect("accept timed out", 1)

    def answer_later():
        time.sleep(2 * UNIT)
        server.sendall(b"late")

    thread = threading.Thread(target=answer_later)
    client.settimeout(3 * UNIT)
    watch.restart()
    thread.start()
    data = client.recv(10)
    watch.expect(f"recv {data}", 2)
    thread.join()


def so_rcvtimeo():
    client, server = tcp_pair()
    seconds = int(UNIT)
    timeval = struct.pack("ll", seconds, round((UNIT - seconds) * 1e6))
    for end in (client, server):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
    watch = Watch()
    try:
        client.recv(1)
    except BlockingIOError as error:
        watch.expect(f"SO_RCVTIMEO recv {errno.errorcode[error.errno]}", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        watch.restart()
        try:
            listener.accept()
        except BlockingIOError as error:
            watch.expect(f"SO_RCVTIMEO accept {errno.errorcode[error.errno]}", 1)

    def answer_later():
        time.sleep(UNIT / 2)
        server.sendall(b"late")

    thread = threading.Thread(target=answer_later)
    watch.restart()
    thread.start()
    data = client.recv(10)
    watch.expect(f"SO_RCVTIMEO recv {data}", 0.5)
    thread.join()


class SlowHandler(http.server.BaseHTTPRequestHandler):
    """GET /N answers after N units."""

    def do_GET(self):
        time.sleep(int(self.path[1:]) * UNIT)
        body = f"waited {self.path[1:]}".encode()
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            pass  # the client that gave up after one unit

    def log_message(self, *_):
        pass


def http_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowHandler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    base = f"http://127.0.0.1:{server.server_port}/"
    watch = Watch()
    lines = []

    def get(units):
        with urllib.request.urlopen(base + str(units), timeout=9 * UNIT) as reply:
            lines.append(reply.read().decode())
        if units == 2:
            watch.expect("the quick one", 2)

    clients = [threading.Thread(target=get, args=(n,)) for n in (3, 2, 4, 3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    watch.expect(f"replies {lines}", 4)
    watch.restart()
    try:
        urllib.request.urlopen(base + "2", timeout=UNIT)
    except TimeoutError:
        watch.expect("client gave up", 1)
    server.shutdown()
    server.server_close()
    serving.join()


run(
    {
        "sleep": sleep,
        "select": by_select,
        "poll": by_poll,
        "epoll": by_epoll,
        "event": event,
        "condition": condition,
        "timer": timer,
        "lock": lock,
        "queue": queues,
        "socket-timeout": socket_timeout,
        "so-rcvtimeo": so_rcvtimeo,
        "http-server": http_server,
    }
)
