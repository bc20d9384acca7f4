// Every way in which a Node program waits: waits.js CASE UNIT SLACK, in seconds. See python/units.py.
"use strict";

const { spawn } = require("node:child_process");
const http = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { isMainThread, parentPort, Worker, workerData } = require("node:worker_threads");

const [chosen, unit, slack] = [process.argv[2], +process.argv[3], +process.argv[4]];

// Timers count whole milliseconds of a loop time that was itself cut to a millisecond, so a callback may
// see a clock that is up to two milliseconds short. That is Node's own doing and happens natively.
const GRAIN = 0.002;
// See python/units.py.
const agreement = Math.max(slack, 0.05);

class Watch {
  constructor() {
    this.restart();
  }

  restart() {
    this.wall = Date.now();
    this.mono = process.hrtime.bigint();
    this.perf = performance.now();
  }

  expect(what, units) {
    const mono = Number(process.hrtime.bigint() - this.mono) / 1e9;
    const others = [Date.now() - this.wall, performance.now() - this.perf].map((ms) => ms / 1e3);
    const late = mono - units * unit;
    let verdict = "in time";
    if (others.some((other) => Math.abs(other - mono) > agreement)) verdict = `clocks ${mono} ${others}`;
    else if (late < -GRAIN) verdict = `${-late} s early`;
    else if (late > slack) verdict = `${late} s late`;
    console.log(`${what}: ${units} units, ${verdict}`);
  }
}

const ms = (units) => units * unit * 1e3;

async function timeouts() {
  const watch = new Watch();
  const order = [];
  await new Promise((resolve) => {
    setTimeout(() => resolve(order.push("three")), ms(3));
    setTimeout(() => order.push("one"), ms(1));
    const cancelled = setTimeout(() => order.push("cancelled"), ms(2));
    setTimeout(() => clearTimeout(cancelled), ms(1));
    setImmediate(() => order.push("immediate"));
  });
  watch.expect(`setTimeout ${order}`, 3);
  watch.restart();
  await sleep(ms(1));
  watch.expect("timers/promises", 1);
}

async function interval() {
  const watch = new Watch();
  let ticks = 0;
  await new Promise((resolve) => {
    const handle = setInterval(() => {
      if (++ticks === 4) {
        clearInterval(handle);
        resolve();
      }
    }, ms(1));
  });
  watch.expect(`setInterval ${ticks} ticks`, 4);
}

// Runs in the worker: one wait that times out, one that the main thread ends.
function waitInWorker() {
  const cell = new Int32Array(workerData.cell);
  parentPort.postMessage("started");
  Atomics.wait(cell, 1, 0);
  const watch = new Watch();
  const first = Atomics.wait(cell, 0, 0, ms(1));
  watch.expect(`Atomics.wait ${first}`, 1);
  watch.restart();
  parentPort.postMessage("waiting");
  const second = Atomics.wait(cell, 0, 0, ms(9));
  watch.expect(`Atomics.wait ${second}`, 3);
}

async function atomics() {
  const cell = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(__filename, {
    argv: process.argv.slice(2),
    workerData: { cell: cell.buffer },
  });
  const ended = new Promise((resolve) => worker.on("exit", resolve));
  await new Promise((resolve) => worker.once("message", resolve));
  const watch = new Watch();
  Atomics.store(cell, 1, 1);
  Atomics.notify(cell, 1);
  await new Promise((resolve) => worker.once("message", resolve));
  await sleep(ms(3));
  Atomics.notify(cell, 0);
  const code = await ended;
  watch.expect(`worker ended ${code}`, 4);
}

async function httpServer() {
  const server = http.createServer(async (request, response) => {
    const units = +request.url.slice(1);
    await sleep(ms(units));
    response.end(`waited ${units}`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const get = (units, timeout) =>
    new Promise((resolve) => {
      const { port } = server.address();
      const request = http.get({ host: "127.0.0.1", port, path: `/${units}`, timeout, agent: false });
      request.on("timeout", () => request.destroy(new Error("timed out")));
      request.on("error", (error) => resolve(error.message));
      request.on("response", (response) => {
        let body = "";
        response.on("data", (data) => (body += data));
        response.on("end", () => resolve(body));
      });
    });
  const watch = new Watch();
  const answers = await Promise.all([get(3), get(1), get(2)]);
  watch.expect(`answers ${answers}`, 3);
  watch.restart();
  const answer = await get(3, ms(1));
  watch.expect(`answer ${answer}`, 1);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function children() {
  const watch = new Watch();
  const ended = [2, 1].map((units) => {
    const child = spawn("sleep", [String(units * unit)]);
    return new Promise((resolve) => child.on("exit", resolve));
  });
  watch.expect(`children ${await Promise.all(ended)}`, 2);
  watch.restart();
  const child = spawn("sleep", [String(9 * unit)], { timeout: ms(1) });
  const signal = await new Promise((resolve) => child.on("exit", (_, by) => resolve(by)));
  watch.expect(`child timed out ${signal}`, 1);
}

const cases = { timeout: timeouts, interval, atomics, "http-server": httpServer, children };
if (isMainThread) cases[chosen]();
else waitInWorker();
