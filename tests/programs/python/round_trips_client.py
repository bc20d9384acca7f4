"""Asks round_trips_server.pl 50 times: round_trips_client.py PORT_FILE UNIT SLACK."""

import socket
import sys

from units import UNIT, Watch

with open(sys.argv[1]) as file:
    port = int(file.read())

with socket.create_connection(("127.0.0.1", port), timeout=2 * UNIT) as connection:
    lines = connection.makefile()
    watch = Watch()
    for number in range(50):
        connection.sendall(f"{number}\n".encode())
        answer = int(lines.readline())
        assert answer == number, (answer, number)
    watch.expect("50 round trips", 50)
