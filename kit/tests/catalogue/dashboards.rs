//! The dashboards can be read by Grafana, say what each panel shows, and ask only for what is there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::promql::used;
use crate::queries::wrong;

const HOUSE: &str = include_str!("../../../deploy/dashboards/house.json");
const ROOM: &str = include_str!("../../../deploy/dashboards/room.json");
/// Of Grafana's units those that are used here.
const UNITS: [&str; 5] = ["s", "short", "ops", "reqps", "percentunit"];

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_default()
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What is wrong with a dashboard.
fn faults(board: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |so: bool, what: String| {
        if !so {
            found.push(what);
        }
    };
    expect(board["schemaVersion"].as_u64().is_some_and(|it| it >= 39), "it has no version".into());
    expect(!text(board, "uid").is_empty() && !text(board, "title").is_empty(), "no name".into());
    let variables = list(&board["templating"], "list");
    let source = variables.iter().find(|it| it["type"] == "datasource");
    let source = source.map(|it| format!("${{{}}}", text(it, "name"))).unwrap_or_default();
    expect(!source.is_empty(), "it names one Prometheus for all".into());
    let names: BTreeSet<_> = variables.iter().map(|it| text(it, "name")).collect();
    for asked in variables.iter().filter(|it| it["type"] == "query") {
        let query = text(&asked["query"], "query").trim_start_matches("label_values(");
        let (series, label) = query.trim_end_matches(')').split_once(", ").unwrap_or_default();
        for wrong in wrong(&format!("sum by ({label}) ({series})")) {
            expect(false, format!("variable: {wrong}"));
        }
    }
    let mut places = BTreeSet::new();
    for panel in list(board, "panels") {
        let title = text(panel, "title");
        expect(places.insert(panel["gridPos"].to_string()), format!("{title} hides another"));
        if panel["type"] == "row" {
            continue;
        }
        let about = text(panel, "description");
        let is_sentence = about.ends_with('.') && about.matches(". ").count() == 0;
        expect(is_sentence, format!("{title} is not told in a sentence"));
        let unit = text(&panel["fieldConfig"]["defaults"], "unit");
        expect(UNITS.contains(&unit), format!("{title} has no unit"));
        expect(text(&panel["datasource"], "uid") == source, format!("{title} has its own source"));
        expect(!list(panel, "targets").is_empty(), format!("{title} shows nothing"));
        for target in list(panel, "targets") {
            let expression = text(target, "expr");
            for wrong in wrong(expression) {
                expect(false, format!("{title}: {wrong}"));
            }
            let by = used(expression).by;
            for label in text(target, "legendFormat").split("{{").skip(1) {
                let label = label.split("}}").next().unwrap_or_default();
                expect(by.contains(label), format!("{title}: {label} is lost in the sum"));
            }
            for name in expression.split('$').skip(1) {
                let known = names.iter().any(|it| name.starts_with(it));
                expect(known || name.starts_with("__rate_interval"), format!("{title}: ${name}"));
            }
        }
    }
    found
}

fn board(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn both_dashboards_are_sound_and_ask_only_for_what_is_there() {
    for (name, json) in [("house", HOUSE), ("room", ROOM)] {
        assert_eq!(faults(&board(json)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn one_shows_the_house_by_room_and_the_other_one_room() {
    let has_room =
        |it: &Value| list(&it["templating"], "list").iter().any(|it| it["name"] == "room");
    let (house, room) = (board(HOUSE), board(ROOM));
    assert!(!has_room(&house) && has_room(&room));
    let all = |it: &Value| -> Vec<String> {
        let targets = list(it, "panels").iter().flat_map(|panel| list(panel, "targets"));
        targets.map(|target| text(target, "expr").to_owned()).collect()
    };
    for expression in all(&room) {
        assert!(expression.contains("\"$room\""), "not of the one room: {expression}");
    }
    assert!(all(&house).iter().filter(|it| it.contains("by (room")).count() > 5);
}

#[test]
fn a_panel_that_is_broken_is_found() {
    let broken = |change: fn(&mut Value)| {
        let mut board = board(HOUSE);
        let panels = board["panels"].as_array_mut().unwrap();
        change(panels.iter_mut().find(|panel| panel["title"] == "Calls").unwrap());
        faults(&board)
    };
    for (change, expected) in [
        ((|it| it["description"] = "".into()) as fn(&mut Value), "is not told in a sentence"),
        (|it| it["fieldConfig"] = Value::Null, "has no unit"),
        (|it| it["datasource"]["uid"] = "mine".into(), "has its own source"),
        (|it| it["targets"][0]["expr"] = "sum by (room) (requests_total)".into(), "is not in"),
        (|it| it["targets"][0]["legendFormat"] = "{{code}}".into(), "is lost in the sum"),
    ] {
        let found = broken(change);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
}
