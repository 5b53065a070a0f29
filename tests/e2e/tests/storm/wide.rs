//! A query over all eight services, and what is left of its answer when some of them are down.

use std::collections::{BTreeMap, BTreeSet};

use moim_e2e::{Value, json};

/// Every service, in the order of the tables.
pub const SERVICES: [&str; 8] =
    ["member", "gathering", "schedule", "payment", "review", "chat", "notification", "search"];

/// `$ids` are, in this order: a member, a gathering, a schedule, an order, an entry of the ledger, a review, a
/// message and a notification.
pub const WIDE: &str = r#"query($ids: [ID!]!) {
  regions { name }
  gatherings(first: 1) { edges { node {
    title host { nickname bio }
    schedules(first: 5) { edges { node { title goingCount } } }
    reviews(first: 5) { edges { node { rating author { nickname } } } }
    messages(last: 5) { edges { node { body author { nickname } } } }
  } } }
  viewer {
    email member { nickname }
    memberships(first: 5) { edges { node { role } } }
    attendances(first: 5) { edges { node { state order { state } } } }
    wallet { balance entries(first: 5) { edges { node { amount order { schedule { title } } } } } }
    notifications(first: 5) { edges { node { kind text } } }
    unreadNotificationCount
  }
  nodes(ids: $ids) { __typename id
    ... on Review { author { nickname } } ... on ChatMessage { author { nickname } } }
  search(query: "등산", first: 9) { edges { highlights { field } node {
    __typename ... on Gathering { title } ... on Schedule { title } ... on Member { nickname } } } }
  again: search(query: "강변", first: 1) { pageInfo { hasPreviousPage } }
}"#;

/// What is null, each with one error, while a service is down. `*` is every place of a list, `:Member` only where
/// that stands. What is below something null is not told again.
pub const FIELDS: [(&str, &[&str]); 8] = [
    (
        "member",
        &["viewer", "gatherings.edges.*.node.host.bio", "nodes.0", "search.edges.*.node:Member"],
    ),
    (
        "gathering",
        &[
            "regions",
            "gatherings",
            "viewer.memberships",
            "nodes.1",
            "search.edges.*.node:Gathering",
        ],
    ),
    (
        "schedule",
        &[
            "gatherings.edges.*.node.schedules",
            "viewer.attendances",
            "viewer.wallet.entries.edges.*.node.order.schedule",
            "nodes.2",
            "search.edges.*.node:Schedule",
        ],
    ),
    (
        "payment",
        &[
            "viewer.wallet",
            // Where the wallet still came and the next call did not, or the one after it.
            "viewer.wallet.entries",
            "viewer.wallet.entries.edges.*.node.order",
            "viewer.attendances.edges.*.node.order",
            "nodes.3",
            "nodes.4",
        ],
    ),
    ("review", &["gatherings.edges.*.node.reviews", "nodes.5"]),
    ("chat", &["gatherings.edges.*.node.messages", "nodes.6"]),
    ("notification", &["viewer.notifications", "viewer.unreadNotificationCount", "nodes.7"]),
    ("search", &["search", "again"]),
];

/// How an answer stands to the one of a sound platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same.
    Whole,
    /// All that is expected is null, and nothing else.
    Expected,
    /// Some of what is expected is null, and nothing else: a call came through.
    Fewer,
    /// Anything else, and why.
    Wrong(String),
}

/// The answer of a sound platform.
#[derive(Clone, Debug)]
pub struct Healthy(pub Value);

type Path = Vec<Value>;

impl Healthy {
    /// Judges an answer that came while these services were not well.
    pub fn judge(&self, body: &Value, down: &[&str]) -> Verdict {
        self.try_judge(body, down).unwrap_or_else(Verdict::Wrong)
    }

    fn try_judge(&self, body: &Value, down: &[&str]) -> Result<Verdict, String> {
        let mut expected = BTreeMap::new();
        for service in down {
            expected.extend(self.places(service).into_iter().map(|path| (text(&path), *service)));
        }
        let mut left = self.0.clone();
        let mut failed = BTreeSet::new();
        for error in body["errors"].as_array().into_iter().flatten() {
            let path = error["path"].as_array().ok_or_else(|| format!("no path: {error}"))?;
            let service =
                expected.get(&text(path)).ok_or_else(|| format!("not expected: {error}"))?;
            told(error, service)?;
            if !failed.insert(text(path)) {
                return Err(format!("told twice: {error}"));
            }
            put_null(&mut left, path);
        }
        if body["data"] != left {
            return Err(format!("other data, expected {left:#}, got {body:#}"));
        }
        let topmost: BTreeSet<_> = expected
            .keys()
            .filter(|path| {
                // A path ends with ], so that what is above another is its beginning but for that.
                !expected
                    .keys()
                    .any(|above| path.starts_with(&format!("{},", &above[..above.len() - 1])))
            })
            .cloned()
            .collect();
        Ok(match failed.len() {
            0 => Verdict::Whole,
            _ if failed == topmost => Verdict::Expected,
            _ => Verdict::Fewer,
        })
    }

    /// Every place in the answer that stands or falls with a service.
    pub fn places(&self, service: &str) -> Vec<Path> {
        let (_, fields) = FIELDS.iter().find(|(name, _)| *name == service).unwrap();
        fields.iter().flat_map(|pattern| self.matching(pattern)).collect()
    }

    fn matching(&self, pattern: &str) -> Vec<Path> {
        let (steps, of) =
            pattern.split_once(':').map_or((pattern, None), |(steps, of)| (steps, Some(of)));
        let mut found = vec![(Vec::new(), &self.0)];
        for step in steps.split('.') {
            found = found.into_iter().flat_map(|(path, value)| below(path, value, step)).collect();
        }
        // What is null on a sound platform does not show that a service is down.
        found
            .retain(|(_, value)| !value.is_null() && of.is_none_or(|of| value["__typename"] == of));
        assert!(!found.is_empty(), "{pattern} is not in {:#}", self.0);
        found.into_iter().map(|(path, _)| path).collect()
    }
}

fn below<'a>(path: Path, value: &'a Value, step: &str) -> Vec<(Path, &'a Value)> {
    let on = |key: Value, value| ([&path[..], &[key]].concat(), value);
    match value {
        Value::Array(items) if step == "*" => {
            items.iter().enumerate().map(|(nth, item)| on(json!(nth), item)).collect()
        }
        Value::Array(items) => {
            let nth: usize = step.parse().unwrap();
            vec![on(json!(nth), &items[nth])]
        }
        _ => vec![on(json!(step), &value[step])],
    }
}

fn put_null(value: &mut Value, path: &[Value]) {
    let mut place = value;
    for step in path {
        let next = match step {
            Value::Number(nth) => place.get_mut(usize::try_from(nth.as_u64().unwrap()).unwrap()),
            step => place.get_mut(step.as_str().unwrap()),
        };
        let Some(next) = next else { return };
        place = next;
    }
    *place = Value::Null;
}

/// An error says which service it is of, that it is worth another try, when, and where to look.
fn told(error: &Value, service: &str) -> Result<(), String> {
    let told = &error["extensions"];
    let code = told["code"].as_str().unwrap_or_default();
    let known = ["UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(&code);
    let waits = told["retryAfterMs"].as_i64().is_some_and(|ms| ms > 0);
    let traced = told["traceId"].as_str().is_some_and(|id| id.len() == 32);
    if known && waits && traced && told["service"] == service && told["retryable"] == true {
        return Ok(());
    }
    Err(format!("not as errors of {service} are: {error}"))
}

fn text(path: &[Value]) -> String {
    Value::from(path.to_vec()).to_string()
}

#[test]
fn an_answer_with_anything_but_the_expected_nulls_is_wrong() {
    let sound = json!({ "search": { "edges": [] }, "again": {}, "other": 1 });
    let healthy = Healthy(sound.clone());
    let error = |field: &str| {
        json!({ "path": [field], "extensions": { "code": "UNAVAILABLE", "service": "search",
            "retryable": true, "retryAfterMs": 1, "traceId": "0".repeat(32) } })
    };
    let judge = |data: Value, errors: Vec<Value>| {
        healthy.judge(&json!({ "data": data, "errors": errors }), &["search"])
    };
    let without = |fields: &[&str]| {
        let mut data = sound.clone();
        fields.iter().for_each(|field| data[*field] = Value::Null);
        data
    };
    let both = ["search", "again"];
    assert_eq!(judge(sound.clone(), vec![]), Verdict::Whole);
    assert_eq!(judge(without(&both), both.map(error).to_vec()), Verdict::Expected);
    assert_eq!(judge(without(&["search"]), vec![error("search")]), Verdict::Fewer);
    let wrong = |verdict| matches!(verdict, Verdict::Wrong(_));
    assert!(wrong(judge(without(&both), vec![error("search")])), "a null without an error");
    assert!(wrong(judge(without(&["other"]), vec![error("other")])), "a field of somebody else");
    assert!(wrong(judge(without(&both), vec![])), "nulls without errors");
    assert!(wrong(judge(sound.clone(), vec![error("search")])), "an error without its null");
    assert!(wrong(judge(Value::Null, both.map(error).to_vec())), "no data");
    let mut other = error("search");
    other["extensions"]["service"] = json!("chat");
    assert!(wrong(judge(without(&["search"]), vec![other])), "another service is named");
}
