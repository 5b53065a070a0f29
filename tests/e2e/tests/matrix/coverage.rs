//! The table against the schema as the running endpoint tells it.

use std::collections::BTreeSet;

use moim_e2e::{Client, json};

use crate::acts::ACTS;
use crate::fields::groups;
use crate::live;
use crate::scene::text;

/// Fails naming every field and mutation that is in the schema only, and every row that is in the
/// table only.
pub async fn compare(client: &Client) {
    let known = in_the_schema(client).await;
    let tried = in_the_table();
    let untried: Vec<_> = known.difference(&tried).collect();
    assert!(
        untried.is_empty(),
        "nobody tried these as a stranger, a member and the host; give each a row: {untried:#?}"
    );
    let gone: Vec<_> = tried.difference(&known).collect();
    assert!(
        gone.is_empty(),
        "these rows are about fields that the schema does not have: {gone:#?}"
    );
}

async fn in_the_schema(client: &Client) -> BTreeSet<String> {
    let data = client.data(INTROSPECTION, json!({})).await;
    let mut fields = BTreeSet::new();
    for of in data["__schema"]["types"].as_array().unwrap() {
        let name = text(&of["name"]);
        if of["kind"] == "OBJECT" && !name.starts_with("__") {
            for field in of["fields"].as_array().unwrap() {
                fields.insert(format!("{name}.{}", text(&field["name"])));
            }
        }
    }
    assert!(fields.contains("Query.node"), "introspection answered {fields:?}");
    fields
}

fn in_the_table() -> BTreeSet<String> {
    let fields = groups()
        .flat_map(|group| group.rows.iter().map(move |row| format!("{}.{}", group.of, row.field)));
    let acts = ACTS.iter().flat_map(|act| {
        let payload = format!("{}{}Payload", act.mutation[..1].to_uppercase(), &act.mutation[1..]);
        let all = act.payload.iter().chain([&"userErrors"]);
        let fields: Vec<_> = all.map(|field| format!("{payload}.{field}")).collect();
        fields.into_iter().chain([format!("Mutation.{}", act.mutation)])
    });
    let live = live::FIELDS.iter().map(|field| format!("Subscription.{field}"));
    fields.chain(acts).chain(live).collect()
}

const INTROSPECTION: &str = "{
  __schema { types { kind name fields(includeDeprecated: true) { name } } }
}";
