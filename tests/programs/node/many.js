// Ten thousand timers, set in one order and due in another: each comes at its time, in the order of the times.
const count = 10000, started = process.hrtime.bigint()
let last = 0, fired = 0
for (let i = 0; i < count; i++) {
  const seconds = (i * 7919) % count + 1
  setTimeout(() => {
    const passed = Number(process.hrtime.bigint() - started) / 1e9
    if (seconds < last || passed < seconds - 0.001) console.log(`timer of ${seconds} s came after that of ${last} s, at ${passed} s`)
    last = seconds
    if (++fired === count) console.log(`all of them after ${Math.floor(passed / 100)} hundred seconds`)
  }, seconds * 1000)
}
