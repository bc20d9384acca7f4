//! The clocks family: every clock of a session moves together, never back, and costs no processor
//! time.

flux_tests::guests! { "clocks";
    bad_addresses: 0;
    agree: 59;
    order: 2;
    arguments: 0;
    cpu_time: 5;
    processes: 5;
    spin: 1;
    before_others: 1;
    setting: 0, only_under_flux();
    adjusting: 0, only_under_flux();
    refused: 0;
    own_lookup: 5;
    handles: 8;
    handler_reads: 0;
    concurrent: 0;
    uptime: 10;
    no_vdso: 4;
}
