//! Starting and changing gatherings.

use moim_gathering::Config;
use moim_kit::Code;
use moim_kit::id::GatheringId;
use moim_proto::gathering::v1::*;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, approving, ask, change, open_for, reason};

/// A way to spoil an input, the reason it gives and the field it names.
type Spoiled<T> = (fn(&mut T), &'static str, &'static str);

fn bad_drafts() -> Vec<Spoiled<CreateRequest>> {
    vec![
        (|r| r.title = "달".to_owned(), "TITLE_INVALID", "title"),
        (|r| r.title = "달".repeat(61), "TITLE_INVALID", "title"),
        (|r| r.title = "두\n줄".to_owned(), "TITLE_INVALID", "title"),
        (|r| r.description = " ".to_owned(), "DESCRIPTION_INVALID", "description"),
        (|r| r.description = "가".repeat(2_001), "DESCRIPTION_INVALID", "description"),
        (|r| r.description = "널\0".to_owned(), "DESCRIPTION_INVALID", "description"),
        (|r| r.category = 0, "CATEGORY_INVALID", "category"),
        (|r| r.category = 99, "CATEGORY_INVALID", "category"),
        (|r| r.region_code = "00000".to_owned(), "REGION_UNKNOWN", "regionId"),
        (|r| r.region_code = String::new(), "REGION_UNKNOWN", "regionId"),
        (|r| r.capacity = 1, "CAPACITY_INVALID", "capacity"),
        (|r| r.capacity = 1_001, "CAPACITY_INVALID", "capacity"),
        (|r| r.capacity = i32::MIN, "CAPACITY_INVALID", "capacity"),
        (|r| r.join_policy = 0, "JOIN_POLICY_INVALID", "joinPolicy"),
        (|r| r.join_policy = -1, "JOIN_POLICY_INVALID", "joinPolicy"),
        (|r| r.image_url = Some("http://a.kr/a".to_owned()), "IMAGE_URL_INVALID", "imageUrl"),
        (|r| r.image_url = Some("그림".to_owned()), "IMAGE_URL_INVALID", "imageUrl"),
    ]
}

fn bad_changes() -> Vec<Spoiled<UpdateRequest>> {
    vec![
        (|r| r.gathering_id = "모임".to_owned(), "ID_INVALID", "gatheringId"),
        (|r| r.title = Some(String::new()), "TITLE_INVALID", "title"),
        (|r| r.description = Some(String::new()), "DESCRIPTION_INVALID", "description"),
        (|r| r.category = Some(0), "CATEGORY_INVALID", "category"),
        (|r| r.region_code = Some("1".to_owned()), "REGION_UNKNOWN", "regionId"),
        (|r| r.capacity = Some(0), "CAPACITY_INVALID", "capacity"),
        (|r| r.capacity = Some(2), "CAPACITY_TOO_SMALL", "capacity"),
        (|r| r.join_policy = Some(7), "JOIN_POLICY_INVALID", "joinPolicy"),
        (|r| r.image_url = Some("ftp://a.kr".to_owned()), "IMAGE_URL_INVALID", "imageUrl"),
    ]
}

on_both_databases! {
    async fn whoever_starts_a_gathering_hosts_it_and_is_its_first_member(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let image_url = Some("https://example.com/han.png".to_owned());
        let title = "  한강 달리기  ".to_owned();
        let request = CreateRequest { title, image_url: image_url.clone(), ..approving(30) };
        let gathering = stage.create(host, request).await;
        assert_eq!(gathering.title, "한강 달리기");
        assert_eq!(gathering.region.as_ref().unwrap().name, "서울특별시 마포구");
        assert_eq!((gathering.capacity, gathering.member_count), (30, 1));
        assert_eq!(gathering.status(), GatheringStatus::Open);
        assert_eq!(gathering.category(), Category::Sports);
        assert_eq!(gathering.join_policy(), JoinPolicy::Approval);
        assert_eq!(gathering.image_url, image_url);
        let card = gathering.host.clone().unwrap();
        assert_eq!((card.id.as_str(), card.nickname.as_str()), (&*host.to_string(), "하늘"));
        assert_eq!(card.avatar_url.as_deref(), Some("https://example.com/하늘.png"));
        let own = gathering.viewer_membership.clone().unwrap();
        assert_eq!((own.role(), own.status()), (MembershipRole::Host, MembershipStatus::Active));
        assert_eq!(own.gathering_id, gathering.id);
        assert_eq!(stage.get(stage.by(host), &gathering.id).await, Some(gathering.clone()));
        let strangers = Gathering { viewer_membership: None, ..gathering.clone() };
        assert_eq!(stage.get(stage.bed.anonymous(), &gathering.id).await, Some(strangers));
    }

    async fn a_bad_draft_is_refused_with_its_field_and_leaves_nothing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        for (spoil, expected, field) in bad_drafts() {
            let mut request = open_for(10);
            spoil(&mut request);
            let fault = ask!(stage, stage.by(host), create, request).unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (expected, Some(field)));
            assert_eq!(fault.code(), Code::Invalid);
        }
        let own = ListViewerMembershipsRequest { page: crate::stage::first(10), status: None };
        let own = ask!(stage, stage.by(host), list_viewer_memberships, own).unwrap();
        assert!(own.memberships.is_empty());
    }

    async fn a_bad_change_is_refused_with_its_field_and_changes_nothing(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        for name in ["바다", "구름"] {
            stage.join(stage.member(name), &gathering).await.unwrap();
        }
        let before = stage.get(stage.by(host), &gathering.id).await;
        for (spoil, expected, field) in bad_changes() {
            let mut request = change(&gathering);
            request.closed = Some(true);
            spoil(&mut request);
            let fault = stage.update(host, request).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (expected, Some(field)));
        }
        assert_eq!(stage.get(stage.by(host), &gathering.id).await, before);
    }

    async fn absent_fields_of_a_change_stay_and_an_empty_image_clears(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let image_url = Some("https://example.com/a.png".to_owned());
        let gathering = stage.create(host, CreateRequest { image_url, ..open_for(10) }).await;
        let untouched = stage.update(host, change(&gathering)).await.unwrap();
        assert_eq!(untouched, gathering);
        let request = UpdateRequest {
            title: Some("남산 달리기".to_owned()),
            region_code: Some("11140".to_owned()),
            category: Some(Category::Outdoors.into()),
            capacity: Some(20),
            join_policy: Some(JoinPolicy::Approval.into()),
            image_url: Some(String::new()),
            ..change(&gathering)
        };
        let changed = stage.update(host, request).await.unwrap();
        assert_eq!(changed.title, "남산 달리기");
        assert_eq!(changed.region.as_ref().unwrap().code, "11140");
        assert_eq!(changed.category(), Category::Outdoors);
        assert_eq!((changed.capacity, changed.image_url.clone()), (20, None));
        assert_eq!(changed.join_policy(), JoinPolicy::Approval);
        assert_eq!(changed.description, gathering.description);
        assert_eq!(stage.get(stage.by(host), &gathering.id).await, Some(changed));
    }

    async fn full_is_derived_and_opens_again_by_itself(bed: Bed) {
        let stage = Stage::set(bed).await;
        let (host, guest) = (stage.member("하늘"), stage.member("바다"));
        let gathering = stage.create(host, open_for(2)).await;
        stage.join(guest, &gathering).await.unwrap();
        let status = async || stage.get(stage.by(host), &gathering.id).await.unwrap().status();
        assert_eq!(status().await, GatheringStatus::Full);
        stage.leave(guest, &gathering).await.unwrap();
        assert_eq!(status().await, GatheringStatus::Open);
        let close = UpdateRequest { closed: Some(true), ..change(&gathering) };
        stage.update(host, close).await.unwrap();
        assert_eq!(status().await, GatheringStatus::Closed);
        assert_eq!(reason(stage.join(guest, &gathering).await), "GATHERING_CLOSED");
        let open = UpdateRequest { closed: Some(false), ..change(&gathering) };
        stage.update(host, open).await.unwrap();
        stage.join(guest, &gathering).await.unwrap();
        assert_eq!(status().await, GatheringStatus::Full);
    }

    async fn nobody_hosts_more_than_the_limit_not_even_by_being_handed_one(bed: Bed) {
        let config = Config { max_hosted: 2, ..Config::default() };
        let stage = Stage::with(bed, config).await;
        let (host, other) = (stage.member("하늘"), stage.member("바다"));
        for _ in 0..2 {
            stage.create(host, open_for(10)).await;
        }
        let fault = ask!(stage, stage.by(host), create, open_for(10)).unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("HOSTED_LIMIT", Code::WrongState));
        let theirs = stage.create(other, open_for(10)).await;
        let heir = stage.join(host, &theirs).await.unwrap();
        let handed = stage.set_role(stage.by(other), &heir, MembershipRole::Host).await;
        assert_eq!(reason(handed), "HOSTED_LIMIT");
        let own = stage.get(stage.by(other), &theirs.id).await.unwrap().viewer_membership;
        assert_eq!(own.unwrap().role(), MembershipRole::Host, "nothing of it was kept");
    }

    async fn what_does_not_exist_cannot_be_changed_and_nobody_signed_out_changes_anything(bed: Bed) {
        let stage = Stage::set(bed).await;
        let host = stage.member("하늘");
        let gathering = stage.create(host, open_for(10)).await;
        let gone = UpdateRequest { gathering_id: GatheringId::fresh().to_string(), ..change(&gathering) };
        let fault = stage.update(host, gone).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("GATHERING_NOT_FOUND", Code::NotFound));
        let nobody = stage.bed.anonymous();
        assert_eq!(reason(ask!(stage, nobody, create, open_for(10))), "UNAUTHENTICATED");
        assert_eq!(reason(ask!(stage, nobody, update, change(&gathering))), "UNAUTHENTICATED");
    }
}
