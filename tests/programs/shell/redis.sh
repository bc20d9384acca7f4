#!/bin/bash
# Redis forgets keys when their time has come: redis.sh FOLDER PORT UNIT, UNIT in whole seconds.
set -euo pipefail
cd "$1"
port=$2 unit=$3

redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --logfile redis.log &
cli() { redis-cli -p "$port" "$@"; }
until [[ $(cli ping 2>/dev/null) == PONG ]]; do sleep 0.1; done

start=$(date +%s)
# How many units have passed since the start, to the nearest.
units() { echo $((($(date +%s) - start + unit / 2) / unit)); }

cli set session alice EX $((4 * unit))
cli set forever here
sleep $((3 * unit))
echo "after $(units): $(cli get session)"
ttl=$(cli ttl session)
echo "to live: at most a unit: $((ttl <= unit && ttl >= 0))"
sleep $((2 * unit))
echo "after $(units): [$(cli get session)] $(cli get forever)"

# The server ends this wait, by its own timer.
echo "list: [$(cli blpop list $unit)] after $(units)"

# One client waits for what another pushes later.
(sleep "$unit"; cli rpush list item >/dev/null) &
echo "list: $(cli blpop list $((9 * unit)) | tail -1) after $(units)"
wait %2

# The server expires keys unasked, ten times a second.
cli set volatile gone PX $((unit * 900))
sleep "$unit"
echo "keys: $(cli dbsize), expired: $(cli info stats | sed -n 's/^expired_keys:\([0-9]*\).*/\1/p')"
cli shutdown nosave || true
wait
