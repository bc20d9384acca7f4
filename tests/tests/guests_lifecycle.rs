//! The lifecycle family: threads and processes that begin and end while others wait.

flux_tests::guests! { "lifecycle";
    threads: 11;
    main_exits: 3;
    fork_in_threads: 5;
    fork_kinds: 15;
    beside: 8;
    vfork_computes: 4;
    spawn: 8;
    shell: 9;
    shell_streams: 2;
    exec: 8;
    all_closed: 19;
    stop_and_continue: 11;
    killed: 15;
    exits: 9;
    abandoned: 2;
    killed_creating: 4;
    orphans: 5;
    crowd: 3;
    exec_names: 9;
    sandbox: 1;
    debugged: 5;
    pid_namespace: 33;
    collected: 14;
}
