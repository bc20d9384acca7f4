//! Python programs: every way in which they wait, natively and under flux.

#[macro_use]
mod programs;

fn command(file: &str) -> [String; 2] {
    [programs::python(), programs::path(&format!("python/{file}"))]
}

waits! { command("waits.py");
    sleep: "sleep" waits 4.0;
    select: "select" waits 3.0;
    poll: "poll" waits 3.0;
    epoll: "epoll" waits 3.0;
    threading_event: "event" waits 3.0;
    threading_condition: "condition" waits 4.0;
    threading_timer: "timer" waits 3.0;
    threading_lock: "lock" waits 3.0;
    queue: "queue" waits 5.0;
    socket_timeout: "socket-timeout" waits 4.0;
    so_rcvtimeo: "so-rcvtimeo" waits 2.5;
    // The server looks around twice a second.
    http_server: "http-server" waits 5.0 .unit(600.0);
}

waits! { command("asynchronous.py");
    asyncio_sleep: "sleep" waits 4.0;
    asyncio_wait_for: "wait-for" waits 4.0;
    asyncio_streams: "streams" waits 3.0;
    asyncio_subprocess: "subprocess" waits 4.0;
}

waits! { command("processes.py");
    subprocess: "subprocess" waits 4.0;
    // It polls twenty times a second, so an hour would be all about those 72 000 short waits.
    subprocess_wait: "subprocess-wait" waits 1.0 .unit(300.0);
    multiprocessing_process: "process" waits 3.0;
    multiprocessing_pool: "pool" waits 6.0;
    multiprocessing_fork: "shared" waits 5.0;
    multiprocessing_spawn: "shared-spawn" waits 5.0;
}
