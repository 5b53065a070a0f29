//! JSON of another type than the schema asks for: one coded error at the top.

use moim_e2e::{Value, json};

use crate::inputs::{self, Field, good, spoilt};
use crate::scene::Scene;
use crate::trial::{Refusal, Trial, operation};

const EITHER: Refusal = Refusal::Top(&["VALIDATION_FAILED", "INVALID"]);

/// Sends every wrong kind of value as every argument there is, and inputs that are no inputs.
pub async fn try_all(scene: &Scene) {
    let mut trial = Trial::begin(scene).await;
    let fields = inputs::fields(&scene.cast.stranger).await;
    for field in &fields {
        for value in wrong_values(field) {
            let (role, input) = spoilt(scene, &field.mutation, &field.name, value);
            trial.refused(scene.cast.client(role), &field.mutation, input, EITHER).await;
        }
        if field.required && !field.has_default {
            let (role, mut input) = good(scene, &field.mutation);
            input.as_object_mut().unwrap().remove(&field.name);
            trial.refused(scene.cast.client(role), &field.mutation, input, EITHER).await;
        }
    }
    let mut mutations: Vec<_> = fields.iter().map(|field| field.mutation.as_str()).collect();
    mutations.dedup();
    for mutation in mutations {
        let (role, unknown) = spoilt(scene, mutation, "nonsense", json!(1));
        for input in [unknown, json!(null), json!("x"), json!(5), json!([[]]), json!([])] {
            trial.refused(scene.cast.client(role), mutation, input, EITHER).await;
        }
        let answer = scene.cast.client(role).send(&operation(mutation), json!({})).await;
        assert_eq!(answer.body["errors"][0]["extensions"]["code"], "VALIDATION_FAILED");
        trial.sent(mutation.to_owned()).await;
    }
    trial.end(400).await;
}

fn wrong_values(field: &Field) -> Vec<Value> {
    let mut values = vec![json!({}), json!({ "a": 1 }), json!([]), json!([[1]])];
    values.extend(match (field.kind.as_str(), field.of.as_str()) {
        ("ENUM", _) => vec![json!("NOPE"), json!(""), json!(1), json!(true), json!("open")],
        (_, "String") => vec![json!(5), json!(1.5), json!(true)],
        (_, "Int") => vec![
            json!("5"),
            json!(1.5),
            json!(2_147_483_648_i64),
            json!(-2_147_483_649_i64),
            json!(1e300),
            json!(true),
        ],
        (_, "Boolean") => vec![json!("true"), json!(0), json!(1)],
        (_, "ID") => vec![json!(1.5), json!(true)],
        (_, "DateTime") => vec![
            json!(""),
            json!("tomorrow"),
            json!("2030-01-01"),
            json!("2030-01-01T00:00:00"),
            json!("2030-02-30T00:00:00Z"),
            json!("2030-01-01T25:00:00Z"),
            json!("+12030-01-01T00:00:00Z"),
            json!("2030-01-01T00:00:00Z\0"),
            json!(1_900_000_000),
        ],
        (_, "URL") => vec![json!(""), json!("a.png"), json!("//a"), json!("\0"), json!(5)],
        (_, other) => panic!("{other} is a type that nothing is known to be wrong for"),
    });
    if field.required {
        values.push(Value::Null);
    }
    values
}
