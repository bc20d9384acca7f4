"""An echo server that takes its time: echo_server.py PORT_FILE UNIT.

A client sends lines `UNITS TEXT`; each is answered with TEXT after so many units. A line `quit` ends the server.
"""

import os
import socketserver
import sys
import threading
import time

PORT_FILE, UNIT = sys.argv[1], float(sys.argv[2])


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"quit\n":
                # shutdown() waits for the loop that this thread is not part of.
                threading.Thread(target=self.server.shutdown).start()
                return
            units, text = line.split(b" ", 1)
            time.sleep(float(units) * UNIT)
            try:
                self.wfile.write(text)
            except ConnectionError:
                return  # a client that lost its patience


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
    # Whoever finds the file finds the whole number in it.
    with open(PORT_FILE + ".new", "w") as file:
        print(server.server_address[1], file=file)
    os.rename(PORT_FILE + ".new", PORT_FILE)
    server.serve_forever()
