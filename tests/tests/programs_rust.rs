//! Rust programs: std waits through `syscall(SYS_futex, …)`, tokio through `epoll_wait` and parked
//! threads.

#[macro_use]
mod programs;

mod std_only {
    use crate::programs;

    waits! { [env!("CARGO_BIN_EXE_rust-waits").to_owned()];
        sleep: "sleep" waits 4.0;
        condvar: "condvar" waits 4.0;
        channels: "channels" waits 4.0;
        park_timeout: "park" waits 3.0;
        mutex_barrier_scope: "others" waits 4.0;
    }
}

mod tokio {
    use crate::programs;

    waits! { [env!("CARGO_BIN_EXE_tokio-waits").to_owned()];
        timers: "timers" waits 6.0;
        tasks: "tasks" waits 5.0;
        sockets: "sockets" waits 4.0;
    }
}
