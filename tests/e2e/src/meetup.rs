//! A meetup that took place: announced, attended, recorded and over, as fast as the system allows.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::answer::{expect_data, user_error_codes};
use crate::person::{Person, in_time};

/// A schedule that has ended.
pub struct Over {
    /// Global id of the schedule.
    pub schedule: String,
    /// Global ids of the attendances, in the order of those who came.
    pub attendances: Vec<String>,
}

/// Announces a schedule of a gathering that ends at once, and waits for its end;
/// everybody given was there and is recorded so.
pub async fn held(host: &Person, gathering: &str, guests: &[&Person]) -> Over {
    let mut lead = Duration::from_millis(1_500);
    let (schedule, attendances) = loop {
        let end = lead + Duration::from_millis(200);
        let times = json!({ "startsAt": in_time(lead), "endsAt": in_time(end) });
        let schedule = host.create_schedule(gathering, times).await;
        if let Some(attendances) = all_attend(guests, &schedule).await {
            break (schedule, attendances);
        }
        // A slow machine may be late for it; then another with more time is announced.
        assert!(lead < Duration::from_secs(120), "nobody can attend");
        lead *= 2;
    };
    loop {
        let data = host.data(STATUS, json!({ "id": schedule })).await;
        if data["node"]["status"] == "ENDED" {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    for attendance in &attendances {
        host.data(RECORD, json!({ "id": attendance })).await;
    }
    Over { schedule, attendances }
}

async fn all_attend(guests: &[&Person], schedule: &str) -> Option<Vec<String>> {
    let mut attendances = Vec::new();
    for guest in guests {
        let body = guest.try_attend(schedule, json!({ "allowOverlap": true })).await;
        if user_error_codes(&body) == ["WRONG_STATE"] {
            return None;
        }
        let id: &Value = &expect_data(&body)["scheduleAttend"]["attendance"]["id"];
        attendances.push(id.as_str().unwrap().to_owned());
    }
    Some(attendances)
}

const STATUS: &str = "query($id: ID!) { node(id: $id) { ... on Schedule { status } } }";
const RECORD: &str = "mutation($id: ID!) {
  attendanceRecord(input: { attendanceId: $id, attended: true }) { userErrors { code message path } }
}";
