//! The readiness family: poll, ppoll, select, pselect, epoll_wait, epoll_pwait, epoll_pwait2 and
//! their checked forms.

flux_tests::guests! { "readiness";
    poll: 9;
    ppoll: 7;
    select: 5;
    pselect: 5;
    epoll: 16;
    epoll_pwait: 11;
    interrupted: 29;
    fortified: 10, flag("-D_FORTIFY_SOURCE=2");
    processes: 17;
    many_waiters: 4;
    few_descriptors: 45;
    odd_sets: 8;
    let_in: 0;
    time_left: 6;
}
