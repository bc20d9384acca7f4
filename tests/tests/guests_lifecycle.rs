//! The lifecycle family: threads and processes that begin and end while others wait.

flux_tests::guests! { "lifecycle";
    threads: 12;
    main_exits: 3;
    fork_in_threads: 6;
    fork_kinds: 18;
    spawn: 9;
    shell: 10;
    exec: 9;
    all_closed: 20;
    stop_and_continue: 12;
    killed: 16;
    exits: 10;
    orphans: 5;
    crowd: 3, seconds(20);
}
