//! Perl programs.

#[macro_use]
mod programs;

waits! { ["perl".to_owned(), programs::path("perl/waits.pl")];
    sleep: "sleep" waits 4.0;
    built_in_sleep: "seconds" waits 1.0;
    select: "select" waits 2.0;
    fork: "fork" waits 5.0;
}
