//! Who may call whom between processes: the endpoint calls rooms, and a room reads what it hears of others.

use moim_kit::tls::Names;
use moim_proto::fact::v1::fact_service_server::SERVICE_NAME as FACTS;
use moim_proto::fact::v1::live_service_server::SERVICE_NAME as LIVE;
use moim_proto::member::v1::member_service_server::SERVICE_NAME as MEMBER;

use crate::house::ROOMS;

/// Whom each room hears; the house does not open when it is wired otherwise.
const HEARS: [(&str, &[&str]); 7] = [
    ("gathering", &["member", "review"]),
    ("schedule", &["member", "gathering", "payment"]),
    ("payment", &["schedule"]),
    ("review", &["member", "gathering", "schedule"]),
    ("chat", &["member", "gathering"]),
    ("notification", &["gathering", "schedule", "review", "payment"]),
    ("search", &["member", "gathering", "schedule"]),
];
/// The rooms of which the endpoint follows what is new.
const FOLLOWED: [&str; 2] = ["chat", "notification"];
/// What every room asks the member room, to judge tokens.
const FOR_ALL: [&str; 2] = ["ListSigningKeys", "ListRevocations"];
/// What tells nothing of anybody.
const OPEN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// The rooms that a room hears.
pub(crate) fn heard_by(room: &str) -> &'static [&'static str] {
    let found = HEARS.into_iter().find(|(name, _)| *name == room);
    found.map(|(_, heard)| heard).unwrap_or_default()
}

/// The rooms whose processes call this one: the endpoint, those that hear it, and all where tokens are judged.
fn callers_of(room: &str) -> Vec<&'static str> {
    let calls = |caller: &str| match caller {
        _ if caller == room || room == "bff" => false,
        "bff" => true,
        _ => room == "member" || heard_by(caller).contains(&room),
    };
    ROOMS.into_iter().filter(|caller| calls(caller)).collect()
}

/// Every room and who calls it, as JSON: what a network between them is to let through.
pub(crate) fn wiring() -> String {
    // The names are plain words, which Rust and JSON quote alike.
    let told =
        ROOMS.map(|room| format!("  {{\"room\": {room:?}, \"callers\": {:?}}}", callers_of(room)));
    format!("[\n{}\n]\n", told.join(",\n"))
}

/// True when a process that speaks for `names` may make this call (`/package.Service/Method`) of a room.
pub(crate) fn may_call(names: &Names, room: &str, path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    let Some((service, method)) = path.split_once('/') else { return false };
    // A replica, or an operator beside it, is the room itself.
    if names.has("bff") && service != FACTS && service != LIVE || names.has(room) {
        return true;
    }
    let mut of_the_house = ROOMS.into_iter().filter(|name| names.has(name));
    match service {
        FACTS => of_the_house.any(|name| heard_by(name).contains(&room)),
        LIVE => names.has("bff") && FOLLOWED.contains(&room),
        MEMBER if FOR_ALL.contains(&method) => of_the_house.next().is_some(),
        _ => OPEN.contains(&service) && of_the_house.next().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(caller: &str, room: &str, path: &str) -> bool {
        may_call(&Names::from_iter([caller]), room, path)
    }

    #[test]
    fn the_endpoint_calls_every_room_and_reads_no_facts() {
        for room in ROOMS.into_iter().filter(|room| *room != "bff") {
            assert!(may("bff", room, "/moim.any.v1.AnyService/Get"), "{room}");
            assert!(!may("bff", room, &format!("/{FACTS}/Read")), "{room}");
            let follows = may("bff", room, &format!("/{LIVE}/Follow"));
            assert_eq!(follows, FOLLOWED.contains(&room), "{room}");
        }
    }

    #[test]
    fn a_room_calls_no_other_and_reads_what_it_hears() {
        for room in ROOMS {
            for caller in ROOMS.into_iter().filter(|caller| *caller != room && *caller != "bff") {
                assert!(!may(caller, room, "/moim.any.v1.AnyService/Get"), "{caller} {room}");
                assert!(!may(caller, room, &format!("/{LIVE}/Follow")), "{caller} {room}");
                let reads = may(caller, room, &format!("/{FACTS}/Read"));
                assert_eq!(reads, heard_by(caller).contains(&room), "{caller} {room}");
            }
        }
    }

    #[test]
    fn who_may_make_any_call_but_asking_for_health_is_a_caller() {
        let paths = [
            "/moim.any.v1.AnyService/Get".to_owned(),
            format!("/{FACTS}/Read"),
            format!("/{LIVE}/Follow"),
            format!("/{MEMBER}/{}", FOR_ALL[0]),
        ];
        for room in ROOMS.into_iter().filter(|room| *room != "bff") {
            for caller in ROOMS.into_iter().filter(|caller| *caller != room) {
                // Judging tokens is asked of the member room alone.
                let paths = &paths[..if room == "member" { 4 } else { 3 }];
                let calls = paths.iter().any(|path| may(caller, room, path));
                assert_eq!(callers_of(room).contains(&caller), calls, "{caller} {room}");
            }
        }
        assert!(callers_of("bff").is_empty());
    }

    #[test]
    fn every_room_may_judge_tokens_and_see_whether_another_lives() {
        for room in ROOMS {
            assert!(may(room, "member", "/moim.member.v1.MemberService/ListSigningKeys"));
            assert!(may(room, "chat", "/grpc.health.v1.Health/Check"));
        }
        assert!(!may("schedule", "member", "/moim.member.v1.MemberService/GetAccount"));
    }

    #[test]
    fn who_is_of_no_room_may_nothing() {
        for path in
            ["/moim.member.v1.MemberService/ListSigningKeys", "/grpc.health.v1.Health/Check"]
        {
            assert!(
                !may("kitchen", "member", path) && !may_call(&Names::default(), "member", path)
            );
        }
        assert!(!may("schedule", "member", "") && !may("schedule", "member", "/"));
    }
}
