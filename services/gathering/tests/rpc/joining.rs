//! Joining, asking to join, and leaving.

use moim_kit::Code;
use moim_kit::id::GatheringId;
use moim_proto::gathering::v1::*;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, approving, ask, change, open_for, reason};

on_both_databases! {
    async fn an_open_gathering_takes_whoever_comes_until_it_is_full(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let (guest, late) = (stage.member("바다"), stage.member("구름"));
        let gathering = stage.create(host, open_for(2)).await;
        let own = stage.join_saying(guest, &gathering, Some("반가워요")).await.unwrap();
        assert_eq!((own.role(), own.status()), (MembershipRole::Member, MembershipStatus::Active));
        assert_eq!(own.message, None, "nobody reads a message at an open door");
        assert_eq!(own.member.as_ref().unwrap().nickname, "바다");
        let fault = stage.join(late, &gathering).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("GATHERING_FULL", Code::Full));
        let fault = stage.join(guest, &gathering).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("ALREADY_JOINED", Code::AlreadyExists));
        assert_eq!(reason(stage.join(host, &gathering).await), "ALREADY_JOINED");
        let seen = stage.get(stage.by(late), &gathering.id).await.unwrap();
        assert_eq!((seen.member_count, seen.viewer_membership), (2, None));
    }

    async fn a_request_takes_no_seat_until_it_is_approved(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let (guest, other) = (stage.member("바다"), stage.member("구름"));
        let gathering = stage.create(host, approving(2)).await;
        let words = " 저도 달리고 싶어요.\n잘 부탁드려요. ";
        let asked = stage.join_saying(guest, &gathering, Some(words)).await.unwrap();
        assert_eq!(asked.status(), MembershipStatus::Pending);
        assert_eq!(asked.message.as_deref(), Some(words.trim()));
        assert_eq!(reason(stage.join(guest, &gathering).await), "ALREADY_REQUESTED");
        assert_eq!(stage.get(stage.by(host), &gathering.id).await.unwrap().member_count, 1);
        let in_line = stage.join(other, &gathering).await.unwrap();
        let approved = stage.decide(stage.by(host), &asked, true).await.unwrap();
        assert_eq!(approved.status(), MembershipStatus::Active);
        assert_eq!(approved.message, asked.message);
        assert_eq!(stage.get(stage.by(host), &gathering.id).await.unwrap().member_count, 2);
        let fault = stage.decide(stage.by(host), &in_line, true).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("GATHERING_FULL", Code::Full));
        let fault = stage.decide(stage.by(host), &asked, false).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("NOT_PENDING", Code::WrongState));
        assert_eq!(stage.join(guest, &gathering).await.unwrap_err().reason(), "ALREADY_JOINED");
    }

    async fn whoever_was_rejected_left_or_was_removed_may_ask_again(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let first = stage.join_saying(guest, &gathering, Some("하나")).await.unwrap();
        let rejected = stage.decide(stage.by(host), &first, false).await.unwrap();
        assert_eq!(rejected.status(), MembershipStatus::Rejected);
        let second = stage.join_saying(guest, &gathering, Some("둘")).await.unwrap();
        assert_eq!((&second.id, second.message.as_deref()), (&first.id, Some("둘")));
        let taken_back = stage.leave(guest, &gathering).await.unwrap();
        assert_eq!(taken_back.status(), MembershipStatus::Left);
        let third = stage.join(guest, &gathering).await.unwrap();
        assert_eq!((third.status(), third.message), (MembershipStatus::Pending, None));
        stage.remove(stage.by(host), &first, false).await.unwrap();
        let fourth = stage.join(guest, &gathering).await.unwrap();
        assert_eq!((fourth.status(), &fourth.id), (MembershipStatus::Pending, &first.id));
        assert_eq!(stage.get(stage.by(host), &gathering.id).await.unwrap().member_count, 1);
    }

    async fn a_ban_holds_under_either_policy(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(5)).await;
        let own = stage.join(guest, &gathering).await.unwrap();
        stage.remove(stage.by(host), &own, true).await.unwrap();
        let fault = stage.join(guest, &gathering).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("MEMBER_BANNED", Code::Banned));
        let policy = Some(JoinPolicy::Approval.into());
        let approve = UpdateRequest { join_policy: policy, ..change(&gathering) };
        stage.update(host, approve).await.unwrap();
        assert_eq!(reason(stage.join(guest, &gathering).await), "MEMBER_BANNED");
        assert_eq!(reason(stage.leave(guest, &gathering).await), "NOT_A_MEMBER");
    }

    async fn when_the_door_opens_whoever_asked_before_may_walk_in(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let asked = stage.join_saying(guest, &gathering, Some("안녕하세요")).await.unwrap();
        let open = UpdateRequest { join_policy: Some(JoinPolicy::Open.into()), ..change(&gathering) };
        stage.update(host, open).await.unwrap();
        let own = stage.join(guest, &gathering).await.unwrap();
        assert_eq!((own.status(), own.id), (MembershipStatus::Active, asked.id));
    }

    async fn a_closed_gathering_takes_no_requests_and_approves_none(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let (guest, other) = (stage.member("바다"), stage.member("구름"));
        let gathering = stage.create(host, approving(5)).await;
        let asked = stage.join(guest, &gathering).await.unwrap();
        let close = UpdateRequest { closed: Some(true), ..change(&gathering) };
        stage.update(host, close).await.unwrap();
        let fault = stage.join(other, &gathering).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("GATHERING_CLOSED", Code::WrongState));
        let approved = stage.decide(stage.by(host), &asked, true).await;
        assert_eq!(reason(approved), "GATHERING_CLOSED");
        stage.decide(stage.by(host), &asked, false).await.unwrap();
    }

    async fn leaving_frees_the_seat_and_only_members_and_applicants_leave(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let (guest, other) = (stage.member("바다"), stage.member("구름"));
        let gathering = stage.create(host, open_for(2)).await;
        stage.join(guest, &gathering).await.unwrap();
        let left = stage.leave(guest, &gathering).await.unwrap();
        assert_eq!(left.status(), MembershipStatus::Left);
        stage.join(other, &gathering).await.unwrap();
        for stranger in [guest, stage.member("노을")] {
            let fault = stage.leave(stranger, &gathering).await.unwrap_err();
            assert_eq!((fault.reason(), fault.code()), ("NOT_A_MEMBER", Code::NotAMember));
        }
        let fault = stage.leave(host, &gathering).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("HOST_STAYS", Code::WrongState));
    }

    async fn a_manager_who_comes_back_is_a_member_again(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(5)).await;
        let own = stage.join(guest, &gathering).await.unwrap();
        stage.set_role(stage.by(host), &own, MembershipRole::Manager).await.unwrap();
        let left = stage.leave(guest, &gathering).await.unwrap();
        assert_eq!(left.role(), MembershipRole::Member);
        let back = stage.join(guest, &gathering).await.unwrap();
        assert_eq!(back.role(), MembershipRole::Member);
    }

    async fn what_cannot_be_joined_or_left_is_refused(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, approving(5)).await;
        let gone = Gathering { id: GatheringId::fresh().to_string(), ..Gathering::default() };
        assert_eq!(reason(stage.join(guest, &gone).await), "GATHERING_NOT_FOUND");
        assert_eq!(reason(stage.leave(guest, &gone).await), "GATHERING_NOT_FOUND");
        let nonsense = Gathering { id: "모임".to_owned(), ..Gathering::default() };
        assert_eq!(reason(stage.join(guest, &nonsense).await), "ID_INVALID");
        assert_eq!(reason(stage.leave(guest, &nonsense).await), "ID_INVALID");
        for words in ["가".repeat(501), "벨\u{7}".to_owned()] {
            let fault = stage.join_saying(guest, &gathering, Some(&words)).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), ("MESSAGE_INVALID", Some("message")));
        }
        stage.join_saying(guest, &gathering, Some(&"가".repeat(500))).await.unwrap();
        let (nobody, gathering_id) = (stage.bed.anonymous(), gathering.id.clone());
        let join = JoinRequest { gathering_id: gathering_id.clone(), message: None };
        assert_eq!(reason(ask!(stage, nobody, join, join)), "UNAUTHENTICATED");
        let leave = LeaveRequest { gathering_id };
        assert_eq!(reason(ask!(stage, nobody, leave, leave)), "UNAUTHENTICATED");
    }
}
