//! Erlang programs: a scheduler of its own above the threads, and its own idea of time.

#[macro_use]
mod programs;

waits! { ["escript".to_owned(), programs::path("erlang/waits.escript")];
    sleep: "sleep" waits 3.0;
    processes: "processes" waits 8.0;
    ports: "ports" waits 5.0;
}
