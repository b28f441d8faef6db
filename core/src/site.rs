//! Where a defect can be planted: `planted!(TheDefect)` is `false`, and costs nothing, in every build but those under
//! `--cfg proofkey_planted`, which break the core to show that it would be noticed.

#[cfg(proofkey_planted)]
macro_rules! planted {
    ($defect:ident) => {
        $crate::planted::is($crate::planted::Defect::$defect)
    };
}

#[cfg(not(proofkey_planted))]
macro_rules! planted {
    ($defect:ident) => {
        false
    };
}
