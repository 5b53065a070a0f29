//! Ids that name nothing, or something of another noun: as if there were no such thing.

use moim_e2e::{Value, json};

use crate::inputs::{self, Field, spoilt};
use crate::scene::{Scene, missing};
use crate::trial::{Refusal, Trial};

/// One thing of each noun.
const NOUNS: [(&str, &str); 12] = [
    ("gatheringId", "gathering"),
    ("membershipId", "guestMembership"),
    ("scheduleId", "schedule"),
    ("attendanceId", "attendance"),
    ("memberId", "guest"),
    ("regionId", "region"),
    ("reviewId", "review"),
    ("messageId", "said"),
    ("upToId", "notification"),
    ("", "viewer"),
    ("", "order"),
    ("", "entry"),
];

/// Sends every kind of wrong id as every id argument there is.
pub async fn try_all(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    let fields = inputs::fields(&scene.cast.stranger).await;
    for Field { mutation, name, .. } in fields.iter().filter(|field| field.of == "ID") {
        if name == "clientId" {
            continue;
        }
        for id in wrong_ids(scene, name) {
            let (role, input) = spoilt(scene, mutation, name, id);
            // A region is chosen from a list; everything else is looked for.
            let code = if name == "regionId" { "INVALID" } else { "NOT_FOUND" };
            let by = if mutation == "chatMessageSend" {
                // The chat room knows of gatherings by their members alone.
                Refusal::User("NOT_A_MEMBER", None)
            } else {
                Refusal::User(code, Some(name.clone()))
            };
            trial.refused(scene.cast.client(role), mutation, input, by).await;
        }
    }
    // An id that the sender makes up names nothing; it is short and can be seen.
    for odd in ["", " ", "두 낱말", "a b", "\0", "\u{7f}", &"a".repeat(65), &"a".repeat(20_000)]
    {
        let (role, input) = spoilt(scene, "chatMessageSend", "clientId", json!(odd));
        let by = Refusal::User("INVALID", Some("clientId".to_owned()));
        trial.refused(scene.cast.client(role), "chatMessageSend", input, by).await;
    }
    trial.end(200).await;
}

fn wrong_ids(scene: &Scene, field: &str) -> Vec<Value> {
    let mut ids: Vec<Value> =
        ["", " ", "x", "%%%%", "한글", "\0", "AAAA", "../../etc/passwd"].map(Value::from).to_vec();
    ids.extend([json!("A".repeat(20_000)), json!(5), json!(-1)]);
    ids.push(json!("00000000-0000-0000-0000-000000000000"));
    for (of, name) in NOUNS {
        let id = scene.id(name);
        if of != field {
            ids.push(json!(id));
        } else if field != "regionId" {
            ids.push(json!(missing(id)));
            ids.push(json!(format!("{id}A")));
            ids.push(json!(id[1..]));
        }
    }
    ids
}
