//! Announcing a schedule, taking seats, standing in line, and calling it off.

use moim_e2e::{
    Person, Platform, Value, eventually, expect_data, in_hours, json, on_both_shapes,
    user_error_codes,
};

const SCHEDULE: &str = "query($id: ID!) {
  node(id: $id) { ... on Schedule {
    title status capacity goingCount waitlistCount viewerOption icsUrl
    viewerAttendance { id state waitlistPosition }
    attendances(first: 50) { edges { node { member { nickname } } } }
    gathering { title }
  } }
}";
const WITHDRAW: &str = "mutation($id: ID!) {
  scheduleWithdraw(input: { scheduleId: $id }) { attendance { state } userErrors { code } }
}";
const UPDATE: &str = "mutation($input: ScheduleUpdateInput!) {
  scheduleUpdate(input: $input) {
    schedule { title capacity goingCount waitlistCount } userErrors { code path }
  }
}";
const CANCEL: &str = "mutation($id: ID!) {
  scheduleCancel(input: { scheduleId: $id, reason: \"비가 옵니다\" }) {
    schedule { status } userErrors { code }
  }
}";
const RECORD: &str = "mutation($id: ID!) {
  attendanceRecord(input: { attendanceId: $id, attended: true }) {
    attendance { state } userErrors { code }
  }
}";

async fn look(person: &Person, schedule: &str) -> Value {
    person.data(SCHEDULE, json!({ "id": schedule })).await["node"].clone()
}

async fn place(person: &Person, schedule: &str) -> (String, Option<i64>) {
    let own = look(person, schedule).await["viewerAttendance"].clone();
    (own["state"].as_str().unwrap().to_owned(), own["waitlistPosition"].as_i64())
}

fn going() -> (String, Option<i64>) {
    ("GOING".to_owned(), None)
}

fn waiting(position: i64) -> (String, Option<i64>) {
    ("WAITLISTED".to_owned(), Some(position))
}

/// A host, a gathering, and so many who joined it.
async fn company(platform: &Platform, members: usize) -> (Person, String, Vec<Person>) {
    let host = platform.sign_up("host").await;
    let gathering = host.create_gathering(json!({})).await;
    let mut joined = Vec::new();
    for number in 0..members {
        let person = platform.sign_up(&format!("member{number}")).await;
        person.join(&gathering).await;
        joined.push(person);
    }
    (host, gathering, joined)
}

on_both_shapes! {
    async fn seats_are_taken_in_order_and_freed_seats_go_to_the_first_in_line(platform: Platform) {
        let (host, gathering, people) = company(&platform, 5).await;
        let schedule = host.create_schedule(&gathering, json!({ "capacity": 2 })).await;
        assert_eq!(look(&people[0], &schedule).await["viewerOption"], "ATTEND");
        for person in &people {
            person.attend(&schedule).await;
        }
        let full = look(&host, &schedule).await;
        assert_eq!((&full["goingCount"], &full["waitlistCount"]), (&json!(2), &json!(3)));
        assert_eq!((&full["status"], &full["viewerOption"]), (&json!("FULL"), &json!("JOIN_WAITLIST")));
        let expected = [going(), going(), waiting(1), waiting(2), waiting(3)];
        for (person, expected) in people.iter().zip(&expected) {
            assert_eq!(place(person, &schedule).await, *expected, "{}", person.nickname);
        }
        let refused = host.try_attend(&schedule, json!({ "joinWaitlist": false })).await;
        assert_eq!(user_error_codes(&refused), ["FULL"]);

        let left = people[0].data(WITHDRAW, json!({ "id": schedule })).await;
        assert_eq!(left["scheduleWithdraw"]["attendance"]["state"], "WITHDRAWN");
        for (person, expected) in people[2..].iter().zip([going(), waiting(1), waiting(2)]) {
            assert_eq!(place(person, &schedule).await, expected, "{}", person.nickname);
        }
        let input = json!({ "scheduleId": schedule, "capacity": 3 });
        let raised = host.data(UPDATE, json!({ "input": input })).await;
        let raised = &raised["scheduleUpdate"]["schedule"];
        assert_eq!((&raised["goingCount"], &raised["waitlistCount"]), (&json!(3), &json!(1)));
        assert_eq!(place(&people[3], &schedule).await, going());
        assert_eq!(place(&people[4], &schedule).await, waiting(1));

        let input = json!({ "scheduleId": schedule, "capacity": 2 });
        let body = host.graphql(UPDATE, json!({ "input": input })).await;
        assert_eq!(user_error_codes(&body), ["INVALID"]);
        assert_eq!(body["data"]["scheduleUpdate"]["userErrors"][0]["path"], json!(["input", "capacity"]));
        assert_eq!(people[0].attend(&schedule).await["waitlistPosition"], 2);
    }

    async fn only_members_attend_and_only_once_at_a_time(platform: Platform) {
        let (host, gathering, people) = company(&platform, 1).await;
        let outsider = platform.sign_up("outsider").await;
        let schedule = host.create_schedule(&gathering, json!({})).await;
        assert_eq!(look(&outsider, &schedule).await["viewerOption"], "JOIN_GATHERING");
        let refused = outsider.try_attend(&schedule, json!({})).await;
        assert_eq!(user_error_codes(&refused), ["NOT_A_MEMBER"]);

        people[0].attend(&schedule).await;
        assert_eq!(look(&people[0], &schedule).await["viewerOption"], "WITHDRAW");
        let again = people[0].try_attend(&schedule, json!({})).await;
        assert_eq!(user_error_codes(&again), ["ALREADY_EXISTS"]);

        let other = host.create_schedule(&gathering, json!({ "title": "같은 시간" })).await;
        let attend = "mutation($id: ID!, $key: String!) {
          scheduleAttend(input: { scheduleId: $id }) @idempotent(key: $key) {
            userErrors { code ... on ScheduleOverlapError { overlapping { id } } }
          }
        }";
        let overlapping = people[0].graphql(attend, json!({ "id": other, "key": "overlapping" })).await;
        assert_eq!(user_error_codes(&overlapping), ["OVERLAPS"]);
        let error = &overlapping["data"]["scheduleAttend"]["userErrors"][0];
        assert_eq!(error["overlapping"]["id"], schedule);
        let both = people[0].try_attend(&other, json!({ "allowOverlap": true })).await;
        assert_eq!(expect_data(&both)["scheduleAttend"]["attendance"]["state"], "GOING");
    }

    async fn who_leaves_the_gathering_gives_up_the_seat(platform: Platform) {
        let (host, gathering, people) = company(&platform, 2).await;
        let schedule = host.create_schedule(&gathering, json!({ "capacity": 1 })).await;
        people[0].attend(&schedule).await;
        people[1].attend(&schedule).await;
        let leave = "mutation($id: ID!) {
          gatheringLeave(input: { gatheringId: $id }) { userErrors { code } }
        }";
        people[0].data(leave, json!({ "id": gathering })).await;
        eventually(async || {
            let place = place(&people[1], &schedule).await;
            if place == going() { Ok(()) } else { Err(place) }
        }).await;
    }

    async fn nobody_is_recorded_before_the_start_and_nobody_attends_what_is_called_off(platform: Platform) {
        let (host, gathering, people) = company(&platform, 2).await;
        let schedule = host.create_schedule(&gathering, json!({})).await;
        let attendance = people[0].attend(&schedule).await;
        let early = host.graphql(RECORD, json!({ "id": attendance["id"] })).await;
        assert_eq!(user_error_codes(&early), ["WRONG_STATE"]);
        let foreign = people[1].graphql(RECORD, json!({ "id": attendance["id"] })).await;
        assert_eq!(user_error_codes(&foreign), ["FORBIDDEN"]);

        let forbidden = people[0].graphql(CANCEL, json!({ "id": schedule })).await;
        assert_eq!(user_error_codes(&forbidden), ["FORBIDDEN"]);
        let cancelled = host.data(CANCEL, json!({ "id": schedule })).await;
        assert_eq!(cancelled["scheduleCancel"]["schedule"]["status"], "CANCELLED");
        assert_eq!(look(&people[1], &schedule).await["viewerOption"], "NONE");
        let late = people[1].try_attend(&schedule, json!({})).await;
        assert_eq!(user_error_codes(&late), ["WRONG_STATE"]);
        let twice = host.graphql(CANCEL, json!({ "id": schedule })).await;
        assert_eq!(user_error_codes(&twice), ["WRONG_STATE"]);
    }

    async fn a_calendar_follows_a_schedule_behind_a_signed_link(platform: Platform) {
        let (host, gathering, _) = company(&platform, 0).await;
        let schedule = host.create_schedule(&gathering, json!({ "title": "달빛 걷기" })).await;
        let url = look(&host, &schedule).await["icsUrl"].as_str().unwrap().to_owned();
        let fetch = async || {
            let answer = platform.client().get(&url).await;
            assert_eq!(answer.status(), 200);
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(kind.starts_with("text/calendar"), "{kind}");
            answer.text().await.unwrap()
        };
        let value = |file: &str, name: &str| {
            let line = file.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_else(|| panic!("no {name} in {file}")).to_owned()
        };
        let sequence = |file: &str| value(file, "SEQUENCE").parse::<u32>().unwrap();
        let before = fetch().await;
        assert_eq!(value(&before, "SUMMARY"), "달빛 걷기");
        assert!(value(&before, "UID").ends_with("@moim"));

        let input = json!({ "scheduleId": schedule, "startsAt": in_hours(24 * 7 + 1) });
        host.data(UPDATE, json!({ "input": input })).await;
        let moved = fetch().await;
        assert_eq!(value(&moved, "UID"), value(&before, "UID"));
        assert!(sequence(&moved) > sequence(&before));
        assert_ne!(value(&moved, "DTSTART"), value(&before, "DTSTART"));
        host.data(CANCEL, json!({ "id": schedule })).await;
        let cancelled = fetch().await;
        assert!(sequence(&cancelled) > sequence(&moved));
        assert_eq!(value(&cancelled, "STATUS"), "CANCELLED");

        let other = host.create_schedule(&gathering, json!({})).await;
        let others = look(&host, &other).await["icsUrl"].as_str().unwrap().to_owned();
        let (path, signature) = url.split_once("signature=").unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        let borrowed = others.split_once("signature=").unwrap().1;
        for tampered in [
            format!("{path}signature={first}{}", &signature[1..]),
            format!("{path}signature={borrowed}"),
            format!("{path}signature="),
            path.trim_end_matches('?').to_owned(),
        ] {
            assert_eq!(platform.client().get(&tampered).await.status(), 404, "{tampered}");
        }
    }
}
