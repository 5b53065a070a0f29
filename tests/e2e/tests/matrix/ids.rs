//! Every way to give an id, and every kind of thing it may be of: somebody else's is as one that nothing has.

use std::collections::BTreeSet;

use moim_e2e::{Client, Socket, Value, json};

use crate::fields::asked;
use crate::scene::{Scene, missing, text};

/// Who may know of a thing by its id.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// Everybody: it is public.
    ToAll,
    /// One member alone; not even a host.
    Own,
    /// The members of the gathering, or its host and the one whom it is about.
    Inside,
}

/// A thing of each type that has an id.
const THINGS: &[(&str, &str, Known)] = &[
    ("Attendance", "begunWaiting", Known::Inside),
    ("Attendance", "waiting", Known::Inside),
    ("ChatMessage", "said", Known::Inside),
    ("Gathering", "gathering", Known::ToAll),
    ("Member", "member", Known::ToAll),
    ("Membership", "applicant", Known::Inside),
    ("Notification", "notification", Known::Own),
    ("Order", "order", Known::Own),
    ("Review", "review", Known::ToAll),
    ("Schedule", "schedule", Known::ToAll),
    ("Viewer", "viewer", Known::Own),
    ("WalletEntry", "entry", Known::Own),
];

/// Where an id is given besides inputs of mutations, which `foreign.rs` tries one by one.
const WAYS_IN: &[&str] = &[
    // Filters by what belongs to nobody.
    "GatheringFilter.regionId",
    "MemberLookup.id",
    "Query.node.id",
    "Query.nodes.ids",
    "SearchFilter.regionId",
    "Subscription.chatMessageAdded.gatheringId",
];

/// Asks for every thing by id as everybody; fails naming all that tell something.
pub async fn try_all(scene: &Scene) {
    let cast = &scene.cast;
    let mut wrong = Vec::new();
    for (of, name, known) in THINGS {
        let (theirs, nobodys) = (scene.id(name), missing(scene.id(name)));
        let owners = [&cast.host.client, &cast.member.client, &cast.guest.client];
        let mut seen = false;
        for owner in owners {
            seen |= node(owner, scene, theirs).await["data"]["node"]["__typename"] == *of;
        }
        if !seen {
            wrong.push(format!("nobody sees <{name}>, so that it shows nothing"));
        }
        // A host is somebody else where a member's own is concerned, and a fellow member is too.
        let others: &[&Client] = match known {
            Known::ToAll => &[],
            Known::Inside => &[&cast.outsider.client, &cast.stranger],
            Known::Own => {
                &[&cast.outsider.client, &cast.stranger, &cast.host.client, &cast.guest.client]
            }
        };
        for other in others {
            let told = node(other, scene, theirs).await;
            if told != node(other, scene, &nobodys).await || !told["data"]["node"].is_null() {
                wrong.push(format!("node of <{name}>: {told}"));
            }
            let ids = json!({ "ids": [theirs, nobodys] });
            let told = other.graphql(NODES, ids).await;
            if told["data"]["nodes"] != json!([null, null]) || told.get("errors").is_some() {
                wrong.push(format!("nodes of <{name}>: {told}"));
            }
        }
    }
    for of in ["gathering", "schedule", "order"] {
        let told = cast.outsider.graphql(BY, json!({ "id": scene.id(of) })).await;
        let nobodys = cast.outsider.graphql(BY, json!({ "id": missing(scene.id(of)) })).await;
        if told["data"] != nobodys["data"] {
            wrong.push(format!("member by <{of}>: {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    follow(scene).await;
    compare(&cast.stranger).await;
}

async fn node(client: &Client, scene: &Scene, id: &str) -> Value {
    asked(client, scene, &format!(r#"{{ node(id: "{id}") {{ __typename id }} }}"#)).await
}

/// Following a chat that one is not in is refused as following one that is not there.
async fn follow(scene: &Scene) {
    let gathering = scene.id("gathering");
    let mut refusals = Vec::new();
    for id in [gathering.to_owned(), missing(gathering)] {
        let mut socket = Socket::of(&scene.cast.outsider).await.unwrap();
        socket.subscribe("chat", FOLLOW, json!({ "id": id })).await.unwrap();
        refusals.push(socket.refusal().await);
    }
    assert_eq!(refusals, ["NOT_A_MEMBER", "NOT_A_MEMBER"]);
}

/// Fails naming ways in, and types with an id, that are in the schema or in the tables alone.
async fn compare(client: &Client) {
    let data = client.data(SCHEMA, json!({})).await;
    let types = data["__schema"]["types"].as_array().unwrap();
    let mut ways = BTreeSet::new();
    for of in types {
        let name = text(&of["name"]);
        for field in of["fields"].as_array().into_iter().flatten() {
            for argument in field["args"].as_array().unwrap() {
                if is_id(&argument["type"]) {
                    ways.insert(format!(
                        "{name}.{}.{}",
                        text(&field["name"]),
                        text(&argument["name"])
                    ));
                }
            }
        }
        // Inputs of mutations stand in a table of their own.
        for field in of["inputFields"].as_array().into_iter().flatten() {
            if is_id(&field["type"]) && !name.ends_with("Input") {
                ways.insert(format!("{name}.{}", text(&field["name"])));
            }
        }
    }
    let tried: BTreeSet<_> = WAYS_IN.iter().map(|way| (*way).to_owned()).collect();
    assert_eq!(ways, tried, "every way to give an id is thought of");
    let node = types.iter().find(|of| of["name"] == "Node").unwrap();
    let kinds: BTreeSet<_> =
        node["possibleTypes"].as_array().unwrap().iter().map(|of| text(&of["name"])).collect();
    let tried: BTreeSet<_> = THINGS.iter().map(|(of, ..)| (*of).to_owned()).collect();
    assert_eq!(kinds, tried, "every kind of thing is asked for by somebody else");
}

/// True of `ID`, and of lists of it.
fn is_id(ty: &Value) -> bool {
    ty["name"] == "ID" || ty.get("ofType").is_some_and(|inner| !inner.is_null() && is_id(inner))
}

const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
const BY: &str = "query($id: ID!) { member(by: { id: $id }) { id } }";
const FOLLOW: &str = "subscription($id: ID!) { chatMessageAdded(gatheringId: $id) { cursor } }";
const SCHEMA: &str = "{ __schema { types { name
  possibleTypes { name }
  fields(includeDeprecated: true) { name args { name type { ...Of } } }
  inputFields { name type { ...Of } }
} } }
fragment Of on __Type { name ofType { name ofType { name ofType { name } } } }";
