//! The files family: file times follow the virtual clock.

flux_tests::guests! { "files";
    written: 100;
    names: 150;
    explicit: 60;
    asked: 5;
    many: 300;
    streams: 20;
}
