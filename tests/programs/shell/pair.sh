#!/bin/sh
# Starts a server, waits for the file that tells its port, runs the client: pair.sh PORT_FILE SERVER CLIENT.
$2 &
until [ -s "$1" ]; do sleep 0.05; done
$3
status=$?
wait
exit $status
