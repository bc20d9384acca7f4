//! Names and versions of symbols that only programs have which were linked long ago.

flux_tests::guests! { "old_versions";
    stat: 7, computes();
}
