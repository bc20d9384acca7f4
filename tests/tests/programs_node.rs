//! Node programs: timers of libuv's loop, worker threads that wait on shared memory, a slow HTTP
//! server.

#[macro_use]
mod programs;

waits! { ["node".to_owned(), programs::path("node/waits.js")];
    set_timeout: "timeout" waits 4.0;
    set_interval: "interval" waits 4.0;
    atomics_wait: "atomics" waits 4.0;
    http_server: "http-server" waits 4.0;
    children: "children" waits 3.0;
}
