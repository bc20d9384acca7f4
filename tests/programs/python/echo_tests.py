"""The tests of echo_server.py, as they would be written for any slow server: echo_tests.py PORT_FILE UNIT SLACK."""

import socket
import sys
import threading
import unittest

from units import UNIT, Watch

with open(sys.argv[1]) as file:
    ADDRESS = ("127.0.0.1", int(file.read()))


def connect(timeout):
    return socket.create_connection(ADDRESS, timeout=timeout * UNIT)


def ask(client, units, text):
    client.sendall(f"{units} {text}\n".encode())
    return client.makefile().readline().strip()


class EchoTests(unittest.TestCase):
    def test_1_answers_late(self):
        watch = Watch()
        with connect(timeout=9) as client:
            self.assertEqual(ask(client, 3, "hello"), "hello")
            watch.expect("one answer", 3)
            self.assertEqual(ask(client, 2, "again"), "again")
            watch.expect("a second one", 5)

    def test_2_serves_clients_at_once(self):
        answers = []

        def client(units):
            with connect(timeout=9) as connection:
                answers.append(ask(connection, units, f"after {units}"))

        clients = [threading.Thread(target=client, args=(n,)) for n in (4, 1, 3, 2)]
        watch = Watch()
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        watch.expect("four clients", 4)
        self.assertEqual(answers, ["after 1", "after 2", "after 3", "after 4"])

    def test_3_client_gives_up(self):
        watch = Watch()
        with connect(timeout=1) as client, self.assertRaises(TimeoutError):
            ask(client, 3, "too late")
        watch.expect("gave up", 1)

    def test_4_client_with_patience_is_not_cut_off(self):
        watch = Watch()
        with connect(timeout=2.5) as client:
            self.assertEqual(ask(client, 2, "just in time"), "just in time")
        watch.expect("in time", 2)


result = unittest.main(argv=sys.argv[:1], exit=False).result
with connect(timeout=9) as client:
    client.sendall(b"quit\n")
print(result.testsRun, "tests,", len(result.failures) + len(result.errors), "failed")
sys.exit(not result.wasSuccessful())
