//! Each alarm asks only for what is there, and is explained to whoever it wakes; and none is explained that is not.

use std::collections::BTreeMap;

use crate::queries::wrong;

const ALARMS: &str = include_str!("../../../deploy/alarms.yml");
const OPERATING: &str = include_str!("../../../docs/operating.md");

#[derive(Debug, Default)]
struct Alarm {
    expression: String,
    severity: String,
    summary: String,
}

/// The alarms by name; the file keeps each key on a line of its own.
fn alarms(file: &str) -> BTreeMap<String, Alarm> {
    let mut found = BTreeMap::new();
    let mut current = String::new();
    for line in file.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            assert!(found.insert(name.to_owned(), Alarm::default()).is_none(), "{name} twice");
            name.clone_into(&mut current);
            continue;
        }
        let Some(alarm) = found.get_mut(&current) else { continue };
        let within = |line: &str| line.trim_end_matches(" }").to_owned();
        if let Some(expression) = line.strip_prefix("expr: ") {
            expression.clone_into(&mut alarm.expression);
        } else if let Some(severity) = line.strip_prefix("labels: { severity: ") {
            alarm.severity = within(severity);
        } else if let Some(summary) = line.strip_prefix("annotations: { summary: ") {
            alarm.summary = within(summary);
        }
    }
    found
}

/// What is told of each alarm, by its heading.
fn told(page: &str) -> BTreeMap<&str, String> {
    let section = page.split("\n## ").find(|section| section.starts_with("Alarms")).unwrap();
    let paragraphs = section.split("\n### ").skip(1);
    paragraphs
        .map(|it| it.split_once('\n').unwrap())
        .map(|(name, text)| (name, text.trim().replace('\n', " ")))
        .collect()
}

#[test]
fn every_alarm_asks_only_for_what_is_there() {
    let alarms = alarms(ALARMS);
    assert!(alarms.len() > 20, "{alarms:?}");
    for (name, alarm) in &alarms {
        assert_eq!(wrong(&alarm.expression), Vec::<String>::new(), "{name}");
        assert!(["page", "ticket"].contains(&alarm.severity.as_str()), "{name}: {alarm:?}");
        assert!(alarm.summary.len() > 20, "{name}: {alarm:?}");
    }
}

#[test]
fn every_alarm_is_explained_with_what_to_do_and_nothing_else_is() {
    let (alarms, told) = (alarms(ALARMS), told(OPERATING));
    let names: Vec<_> = alarms.keys().map(String::as_str).collect();
    assert_eq!(names, told.keys().copied().collect::<Vec<_>>());
    for (name, alarm) in &alarms {
        let text = &told[name.as_str()];
        assert!(text.len() > 60, "{name} is hardly explained: {text}");
        assert_eq!(text.contains("(page)"), alarm.severity == "page", "{name}: {text}");
    }
}

#[test]
fn an_alarm_about_nothing_and_a_paragraph_about_none_are_found() {
    let file = "- alert: Made\n  expr: made_up_total > 0\n  labels: { severity: page }\n";
    let made = alarms(file);
    assert_eq!(wrong(&made["Made"].expression), ["made_up_total is not in the catalogue"]);
    let page = "# X\n\n## Alarms\n\nAll.\n\n### Other\n\nNothing.\n\n## Next\n";
    assert_eq!(told(page).into_keys().collect::<Vec<_>>(), ["Other"]);
}
