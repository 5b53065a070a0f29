//! `config.default.toml` tells every knob, with the default that the code has.

use moim::Config;

const DEFAULTS: &str = include_str!("../../config.default.toml");

#[test]
fn the_file_of_defaults_equals_the_code() {
    let told: Config = toml::from_str(DEFAULTS).unwrap();
    assert_eq!(told, Config::default());
}

#[test]
fn every_knob_is_told_with_a_sentence_above_it() {
    let shown = Config::default().to_toml().unwrap();
    assert_eq!(knobs(DEFAULTS), knobs(&shown));
    let lines: Vec<_> = DEFAULTS.lines().collect();
    for pair in lines.windows(2) {
        if pair[1].contains(" = ") && !pair[1].starts_with('#') {
            assert!(pair[0].starts_with("# "), "no sentence above {}", pair[1]);
        }
    }
}

#[test]
fn what_is_shown_of_a_configuration_covers_its_secrets() {
    let mut config = Config::default();
    config.house.secret = "hunter2hunter2hunter2".to_owned();
    config.storage.url = "postgres://moim:hunter2@db/moim".to_owned();
    config.bus.url = "nats://moim:hunter2@one:4222,nats://hunter2@other:4222".to_owned();
    config.shared.url = "rediss://:hunter2@cache:6379/0".to_owned();
    config.schedule.calendar_key = "hunter2hunter2hunter2".to_owned();
    config.payment.sandbox_secret = "hunter2hunter2hunter2".to_owned();
    let shown = config.to_toml().unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("postgres://moim:********@db/moim"));
}

/// `section.knob` of every line that sets one.
fn knobs(text: &str) -> Vec<String> {
    let mut section = String::new();
    let mut knobs = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((knob, _)) = line.split_once(" = ")
            && !line.starts_with('#')
        {
            knobs.push(format!("{section}.{knob}"));
        }
    }
    knobs
}
