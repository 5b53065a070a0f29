//! Which of all programs `cargo run` starts: the README's first command names none.

use moim_house::default_programs;

#[test]
fn cargo_run_starts_the_platform_whatever_other_programs_there_are() {
    assert_eq!(default_programs(), ["moim"]);
}
