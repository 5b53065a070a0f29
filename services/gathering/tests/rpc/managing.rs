//! What hosts and managers do with memberships, and what nobody else may.

use moim_kit::id::MembershipId;
use moim_kit::{Call, Code};
use moim_proto::gathering::v1::*;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, approving, change, open_for, reason};

/// One gathering with somebody in every role, fresh for each attempt.
struct Cast {
    gathering: Gathering,
    actors: [(&'static str, Call); 6],
    applicant: Membership,
    member: Membership,
    manager: Membership,
    host: Membership,
}

async fn cast(stage: &Stage) -> Cast {
    let host = stage.member("하늘");
    let gathering = stage.create(host, approving(10)).await;
    let own = gathering.viewer_membership.clone().unwrap();
    let mut seated = Vec::new();
    let mut people = Vec::new();
    for (name, role) in [
        ("바다", MembershipRole::Manager),
        ("구름", MembershipRole::Manager),
        ("노을", MembershipRole::Member),
        ("이슬", MembershipRole::Member),
    ] {
        let who = stage.member(name);
        let asked = stage.join(who, &gathering).await.unwrap();
        let member = stage.decide(stage.by(host), &asked, true).await.unwrap();
        people.push(who);
        seated.push(stage.set_role(stage.by(host), &member, role).await.unwrap());
    }
    let applicant = stage.join(stage.member("여울"), &gathering).await.unwrap();
    let pending = stage.member("가람");
    stage.join(pending, &gathering).await.unwrap();
    let actors = [
        ("nobody", stage.bed.anonymous()),
        ("stranger", stage.by(stage.member("나그네"))),
        ("applicant", stage.by(pending)),
        ("member", stage.by(people[2])),
        ("manager", stage.by(people[0])),
        ("host", stage.by(host)),
    ];
    let (member, manager) = (seated[3].clone(), seated[1].clone());
    Cast { gathering, actors, applicant, member, manager, host: own }
}

const ACTIONS: [(&str, [bool; 2]); 9] = [
    // action, whether [manager, host] may; nobody else ever may
    ("update", [true, true]),
    ("approve", [true, true]),
    ("reject", [true, true]),
    ("set role", [false, true]),
    ("hand over", [false, true]),
    ("remove a request", [true, true]),
    ("remove a member", [true, true]),
    ("ban a manager", [false, true]),
    ("remove the host", [false, false]),
];

async fn attempt(stage: &Stage, cast: &Cast, call: Call, action: &str) -> String {
    let done = match action {
        "update" => {
            let title = Some("새 이름".to_owned());
            let request = UpdateRequest { title, ..change(&cast.gathering) };
            crate::stage::ask!(stage, call, update, request).map(|_| ())
        }
        "approve" => stage.decide(call, &cast.applicant, true).await.map(|_| ()),
        "reject" => stage.decide(call, &cast.applicant, false).await.map(|_| ()),
        "set role" => stage.set_role(call, &cast.member, MembershipRole::Manager).await.map(|_| ()),
        "hand over" => stage.set_role(call, &cast.member, MembershipRole::Host).await.map(|_| ()),
        "remove a request" => stage.remove(call, &cast.applicant, false).await.map(|_| ()),
        "remove a member" => stage.remove(call, &cast.member, false).await.map(|_| ()),
        "ban a manager" => stage.remove(call, &cast.manager, true).await.map(|_| ()),
        "remove the host" => stage.remove(call, &cast.host, false).await.map(|_| ()),
        other => panic!("{other} is no action"),
    };
    done.map_or_else(|fault| fault.reason().to_owned(), |()| "done".to_owned())
}

on_both_databases! {
    async fn each_role_may_do_what_the_table_says_and_nothing_else(bed: Bed) {
        let stage = Stage::set(bed).await;
        for (action, [manager, host]) in ACTIONS {
            let mut scene = cast(&stage).await;
            for place in 0..scene.actors.len() {
                let (actor, call) = scene.actors[place].clone();
                let expected = match actor {
                    "nobody" => "UNAUTHENTICATED",
                    "manager" if manager => "done",
                    "host" if host => "done",
                    // Whoever may not see a request cannot tell it from none.
                    _ if ["approve", "reject", "remove a request"].contains(&action) => {
                        "MEMBERSHIP_NOT_FOUND"
                    }
                    _ => "NOT_ALLOWED",
                };
                let got = attempt(&stage, &scene, call, action).await;
                assert_eq!(got, expected, "{actor} tries to {action}");
                if got == "done" {
                    scene = cast(&stage).await;
                }
            }
        }
    }

    async fn handing_over_makes_the_former_host_a_manager_and_the_heir_the_host(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, heir) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(5)).await;
        let former = gathering.viewer_membership.clone().unwrap();
        let own = stage.join(heir, &gathering).await.unwrap();
        let stays = stage.set_role(stage.by(host), &former, MembershipRole::Member).await;
        assert_eq!(reason(stays), "HOST_STAYS");
        let now = stage.set_role(stage.by(host), &own, MembershipRole::Host).await.unwrap();
        assert_eq!(now.role(), MembershipRole::Host);
        let seen = stage.get(stage.by(host), &gathering.id).await.unwrap();
        assert_eq!(seen.host.unwrap().id, heir.to_string());
        assert_eq!(seen.viewer_membership.unwrap().role(), MembershipRole::Manager);
        assert_eq!(seen.member_count, 2);
        let again = stage.set_role(stage.by(host), &own, MembershipRole::Member).await;
        assert_eq!(reason(again), "NOT_ALLOWED");
        stage.leave(host, &gathering).await.unwrap();
        assert_eq!(reason(stage.leave(heir, &gathering).await), "HOST_STAYS");
    }

    async fn only_those_who_are_in_have_a_role_to_set(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let asked = stage.join(guest, &gathering).await.unwrap();
        for role in [MembershipRole::Manager, MembershipRole::Host] {
            let fault = stage.set_role(stage.by(host), &asked, role).await.unwrap_err();
            assert_eq!((fault.reason(), fault.code()), ("NOT_ACTIVE", Code::WrongState));
        }
        let none = stage.set_role(stage.by(host), &asked, MembershipRole::Unspecified).await;
        assert_eq!(reason(none), "ROLE_INVALID");
        let member = stage.decide(stage.by(host), &asked, true).await.unwrap();
        let same = stage.set_role(stage.by(host), &member, MembershipRole::Member).await.unwrap();
        assert_eq!(same, member, "a role somebody has already changes nothing");
        let up = stage.set_role(stage.by(host), &member, MembershipRole::Manager).await.unwrap();
        assert_eq!(up.role(), MembershipRole::Manager);
        let down = stage.set_role(stage.by(host), &member, MembershipRole::Member).await.unwrap();
        assert_eq!(down.role(), MembershipRole::Member);
    }

    async fn a_removal_frees_the_seat_once_and_a_ban_can_follow_it(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(5)).await;
        let own = stage.join(guest, &gathering).await.unwrap();
        let count = async || stage.get(stage.by(host), &gathering.id).await.unwrap().member_count;
        let removed = stage.remove(stage.by(host), &own, false).await.unwrap();
        assert_eq!(removed.status(), MembershipStatus::Removed);
        assert_eq!(count().await, 1);
        let fault = stage.remove(stage.by(host), &own, false).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("ALREADY_OUT", Code::WrongState));
        stage.join(guest, &gathering).await.unwrap();
        stage.leave(guest, &gathering).await.unwrap();
        assert_eq!(reason(stage.remove(stage.by(host), &own, false).await), "ALREADY_OUT");
        let banned = stage.remove(stage.by(host), &own, true).await.unwrap();
        assert_eq!(banned.status(), MembershipStatus::Banned);
        assert_eq!(reason(stage.remove(stage.by(host), &own, true).await), "ALREADY_OUT");
        assert_eq!(count().await, 1);
    }

    async fn nobody_removes_themselves(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, manager) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(5)).await;
        let hosts = gathering.viewer_membership.clone().unwrap();
        let own = stage.join(manager, &gathering).await.unwrap();
        assert_eq!(reason(stage.remove(stage.by(manager), &own, false).await), "NOT_ALLOWED");
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        assert_eq!(reason(stage.remove(stage.by(manager), &own, false).await), "NOT_ALLOWED");
        assert_eq!(reason(stage.remove(stage.by(host), &hosts, true).await), "NOT_ALLOWED");
    }

    async fn a_manager_of_one_gathering_is_nobody_in_another(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, other) = (stage.member("하늘"), stage.member("바다"));
        let theirs = stage.create(other, approving(5)).await;
        stage.create(host, approving(5)).await;
        let asked = stage.join(stage.member("구름"), &theirs).await.unwrap();
        let refused = "MEMBERSHIP_NOT_FOUND";
        assert_eq!(reason(stage.decide(stage.by(host), &asked, true).await), refused);
        assert_eq!(reason(stage.remove(stage.by(host), &asked, true).await), refused);
    }

    async fn a_membership_that_does_not_exist_is_not_found(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, approving(5)).await;
        for (id, expected) in [
            (MembershipId::fresh().to_string(), "MEMBERSHIP_NOT_FOUND"),
            (gathering.id.clone(), "MEMBERSHIP_NOT_FOUND"),
            ("멤버".to_owned(), "ID_INVALID"),
        ] {
            let target = Membership { id, ..Membership::default() };
            assert_eq!(reason(stage.decide(stage.by(host), &target, true).await), expected);
            assert_eq!(reason(stage.remove(stage.by(host), &target, true).await), expected);
            let role = stage.set_role(stage.by(host), &target, MembershipRole::Manager).await;
            let fault = role.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (expected, Some("membershipId")));
        }
    }
}
