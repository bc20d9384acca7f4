//! The readiness family: poll, ppoll, select, pselect, epoll_wait, epoll_pwait, epoll_pwait2 and their checked forms.

flux_tests::guests! { "readiness";
    poll: 10;
    ppoll: 10;
    select: 5;
    pselect: 6;
    epoll: 17;
    epoll_pwait: 12;
    interrupted: 30;
    fortified: 11, flag("-D_FORTIFY_SOURCE=2");
    processes: 18;
    many_waiters: 4;
}
