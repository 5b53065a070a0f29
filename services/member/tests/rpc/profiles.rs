//! Members as others see them, changing oneself, and hiding others.

use futures::future::join_all;
use moim_kit::id::MemberId;
use moim_kit::{Call, Code, Fault};
use moim_proto::member::v1::get_request::By;
use moim_proto::member::v1::*;
use moim_testbed::on_both_databases;

use crate::stand::{Person, Stand, anonymous, answer, reason};

async fn get(stand: &Stand, call: &Call, by: By) -> Result<Member, Fault> {
    let request = call.request(GetRequest { by: Some(by) });
    Ok(answer(stand.client().get(request).await)?.member.unwrap())
}

async fn get_all(stand: &Stand, call: &Call, ids: &[String]) -> Result<Vec<Member>, Fault> {
    let request = call.request(BatchGetRequest { ids: ids.to_vec() });
    let mut members = answer(stand.client().batch_get(request).await)?.members;
    members.sort_by(|a, b| a.nickname.cmp(&b.nickname));
    Ok(members)
}

async fn block(stand: &Stand, by: &Person, whom: &str, blocked: bool) -> Result<Member, Fault> {
    let request = SetBlockedRequest { member_id: whom.to_owned(), blocked };
    Ok(answer(stand.client().set_blocked(by.call().request(request)).await)?.member.unwrap())
}

async fn update(stand: &Stand, call: &Call, request: UpdateRequest) -> Result<Member, Fault> {
    Ok(answer(stand.client().update(call.request(request)).await)?.member.unwrap())
}

fn change() -> UpdateRequest {
    UpdateRequest::default()
}

fn id(member: MemberId) -> By {
    By::Id(member.to_string())
}

on_both_databases! {
    async fn anybody_finds_a_member_by_id_or_by_nickname_in_any_case(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim_민지").await;
        let found = get(&stand, &anonymous(), id(kim.id)).await.unwrap();
        assert_eq!(
            (found.id.as_str(), found.nickname.as_str()),
            (kim.id.to_string().as_str(), "Kim_민지")
        );
        for nickname in ["Kim_민지", "kIM_민지", " kim_민지 "] {
            let by = By::Nickname(nickname.to_owned());
            assert_eq!(get(&stand, &kim.call(), by).await.unwrap(), found);
        }
    }

    async fn a_member_who_does_not_exist_is_not_found(bed: Bed) {
        let stand = Stand::new(&bed).await;
        stand.person("Kim").await;
        for by in [
            id(MemberId::fresh()),
            By::Nickname("Lee".to_owned()),
            By::Nickname("%".to_owned()),
            By::Nickname("k\0m".to_owned()),
            By::Nickname("가".repeat(10_000)),
        ] {
            let fault = get(&stand, &anonymous(), by).await.unwrap_err();
            assert_eq!((fault.reason(), fault.code()), ("MEMBER_NOT_FOUND", Code::NotFound));
        }
        let fault = get(&stand, &anonymous(), By::Id("x".to_owned())).await.unwrap_err();
        assert_eq!((fault.reason(), fault.field()), ("ID_INVALID", Some("id")));
        let nameless = anonymous().request(GetRequest { by: None });
        assert_eq!(reason(stand.client().get(nameless).await), "MEMBER_NOT_FOUND");
    }

    async fn a_batch_answers_those_that_exist_once_each(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let (a, b, c) =
            (stand.person("aa").await, stand.person("bb").await, stand.person("cc").await);
        block(&stand, &a, &b.id.to_string(), true).await.unwrap();
        let unknown = MemberId::fresh().to_string();
        let mut ids: Vec<_> = [&c, &a, &b, &a].map(|person| person.id.to_string()).into();
        ids.extend([unknown, "nonsense".to_owned(), "\0".to_owned(), String::new()]);
        let members = get_all(&stand, &a.call(), &ids).await.unwrap();
        let seen: Vec<_> = members
            .iter()
            .map(|member| (member.nickname.as_str(), member.viewer_has_blocked))
            .collect();
        assert_eq!(seen, [("aa", false), ("bb", true), ("cc", false)]);
        for call in [b.call(), anonymous()] {
            let members = get_all(&stand, &call, &ids).await.unwrap();
            assert!(members.iter().all(|member| !member.viewer_has_blocked), "hiding is private");
        }
        assert!(get_all(&stand, &a.call(), &[]).await.unwrap().is_empty());
    }

    async fn a_batch_has_at_most_two_hundred(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let mut ids: Vec<_> = (0..199).map(|_| MemberId::fresh().to_string()).collect();
        ids.push(kim.id.to_string());
        assert_eq!(get_all(&stand, &anonymous(), &ids).await.unwrap().len(), 1);
        ids.push(kim.id.to_string());
        let fault = get_all(&stand, &anonymous(), &ids).await.unwrap_err();
        assert_eq!((fault.reason(), fault.code()), ("TOO_MANY_IDS", Code::Invalid));
        let huge = vec!["a".repeat(1_000); 2_000];
        let refused =
            stand.client().batch_get(anonymous().request(BatchGetRequest { ids: huge })).await;
        assert_eq!(refused.unwrap_err().code(), tonic::Code::OutOfRange, "messages are bounded");
    }

    async fn a_profile_changes_where_told_and_every_change_is_told_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let avatar = "https://img.example/kim.png".to_owned();
        let full = UpdateRequest {
            nickname: Some(" 민지 ".to_owned()),
            avatar_url: Some(avatar.clone()),
            bio: Some("안녕하세요\n등산 좋아해요".to_owned()),
        };
        let request = kim.call().request(full);
        let response = stand.client().update(request).await.unwrap();
        assert!(response.metadata().get("moim-seen").is_some());
        let member = response.into_inner().member.unwrap();
        assert_eq!(member.nickname, "민지");
        assert_eq!(member.avatar_url.as_ref(), Some(&avatar));
        assert_eq!(member.bio.as_deref(), Some("안녕하세요\n등산 좋아해요"));

        let cleared = UpdateRequest { bio: Some(String::new()), ..change() };
        let member = update(&stand, &kim.call(), cleared).await.unwrap();
        assert_eq!(
            (member.nickname.as_str(), member.avatar_url.as_ref(), member.bio.as_ref()),
            ("민지", Some(&avatar), None)
        );
        let nothing = [change(), UpdateRequest { nickname: Some("민지".to_owned()), ..change() }];
        for nothing in nothing {
            assert_eq!(update(&stand, &kim.call(), nothing).await.unwrap(), member);
        }
        let cleared = UpdateRequest { avatar_url: Some(" ".to_owned()), ..change() };
        let member = update(&stand, &kim.call(), cleared).await.unwrap();
        assert_eq!(get(&stand, &anonymous(), id(kim.id)).await.unwrap(), member);

        let told = stand.told(kim.id, 4).await;
        assert_eq!(told.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let (_, state) = &told[2];
        assert_eq!(
            (state.nickname.as_str(), state.avatar_url.as_ref(), state.bio.as_ref()),
            ("민지", Some(&avatar), None)
        );
        assert_eq!(told[3].1.avatar_url, None);
    }

    async fn what_cannot_be_a_profile_is_refused_and_changes_nothing(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        stand.person("Lee").await;
        let nickname = |text: &str| UpdateRequest { nickname: Some(text.to_owned()), ..change() };
        let avatar = |text: &str| UpdateRequest { avatar_url: Some(text.to_owned()), ..change() };
        let bio = |text: &str| UpdateRequest { bio: Some(text.to_owned()), ..change() };
        let both = UpdateRequest { bio: Some("new".to_owned()), ..nickname("lEE") };
        for (request, reason, field) in [
            (nickname(""), "NICKNAME_INVALID", "nickname"),
            (nickname("k m"), "NICKNAME_INVALID", "nickname"),
            (both, "NICKNAME_TAKEN", "nickname"),
            (avatar("http://img.example/a.png"), "AVATAR_URL_INVALID", "avatarUrl"),
            (avatar("javascript:alert(1)"), "AVATAR_URL_INVALID", "avatarUrl"),
            (
                avatar(&format!("https://a.kr/{}", "a".repeat(2_048))),
                "AVATAR_URL_INVALID",
                "avatarUrl",
            ),
            (bio(&"가".repeat(501)), "BIO_INVALID", "bio"),
            (bio("a\0b"), "BIO_INVALID", "bio"),
        ] {
            let fault = update(&stand, &kim.call(), request).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason, Some(field)));
        }
        let member = get(&stand, &anonymous(), id(kim.id)).await.unwrap();
        assert_eq!((member.nickname.as_str(), member.bio), ("Kim", None));
        let member = update(&stand, &kim.call(), nickname("KIM")).await.unwrap();
        assert_eq!(member.nickname, "KIM", "one's own nickname in another case is free");
        assert_eq!(reason(update(&stand, &anonymous(), bio("hi")).await), "UNAUTHENTICATED");
    }

    async fn an_update_repeated_under_its_key_is_done_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let (kim, lee) = (stand.person("Kim").await, stand.person("Lee").await);
        let bio = |text: &str| UpdateRequest { bio: Some(text.to_owned()), ..change() };
        let keyed = |person: &Person| person.call().keyed(Some("k"));
        let first = update(&stand, &keyed(&kim), bio("one")).await.unwrap();
        update(&stand, &kim.call(), bio("two")).await.unwrap();
        let again = stand.client().update(keyed(&kim).request(bio("one"))).await.unwrap();
        assert!(again.metadata().get("moim-seen").is_some());
        assert_eq!(again.into_inner().member.unwrap(), first);
        let now = get(&stand, &anonymous(), id(kim.id)).await.unwrap();
        assert_eq!(now.bio.as_deref(), Some("two"), "nothing was done again");
        let fault = update(&stand, &keyed(&kim), bio("three")).await.unwrap_err();
        assert_eq!(fault.code(), Code::IdempotencyKeyReused);
        assert!(update(&stand, &keyed(&lee), bio("three")).await.is_ok(), "keys are one's own");
    }

    async fn changes_side_by_side_leave_no_gap_in_what_is_told(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        let changes = (0..20).map(|n| {
            let request = UpdateRequest { bio: Some(format!("bio {n}")), ..change() };
            let (stand, call) = (&stand, kim.call());
            async move { update(stand, &call, request).await }
        });
        assert!(join_all(changes).await.iter().all(Result::is_ok));
        let told = stand.told(kim.id, 21).await;
        let versions: Vec<_> = told.iter().map(|(version, _)| *version).collect();
        assert_eq!(versions, (1..=21).collect::<Vec<_>>());
        let kept = get(&stand, &anonymous(), id(kim.id)).await.unwrap().bio;
        assert_eq!(told.last().unwrap().1.bio, kept);
    }

    async fn a_member_hides_and_shows_another(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let (kim, lee) = (stand.person("Kim").await, stand.person("Lee").await);
        let whom = lee.id.to_string();
        for blocked in [true, true, false, false, true] {
            let member = block(&stand, &kim, &whom, blocked).await.unwrap();
            assert_eq!((member.nickname.as_str(), member.viewer_has_blocked), ("Lee", blocked));
            let seen = get(&stand, &kim.call(), id(lee.id)).await.unwrap();
            assert_eq!(seen, member);
        }
        for call in [lee.call(), anonymous()] {
            assert!(!get(&stand, &call, id(lee.id)).await.unwrap().viewer_has_blocked);
            assert!(!get(&stand, &call, id(kim.id)).await.unwrap().viewer_has_blocked);
        }
        assert_eq!(stand.told(lee.id, 1).await.len(), 1, "hiding is told to nobody");
    }

    async fn hiding_needs_two_people_who_exist(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let kim = stand.person("Kim").await;
        for (whom, code, reason) in [
            (kim.id.to_string(), Code::Invalid, "BLOCKED_SELF"),
            (MemberId::fresh().to_string(), Code::NotFound, "MEMBER_NOT_FOUND"),
            ("x".to_owned(), Code::Invalid, "ID_INVALID"),
        ] {
            for blocked in [true, false] {
                let fault = block(&stand, &kim, &whom, blocked).await.unwrap_err();
                assert_eq!((fault.code(), fault.reason()), (code, reason));
                assert_eq!(fault.field(), Some("memberId"));
            }
        }
        let request = SetBlockedRequest { member_id: kim.id.to_string(), blocked: true };
        assert_eq!(
            reason(stand.client().set_blocked(anonymous().request(request)).await),
            "UNAUTHENTICATED"
        );
    }

    async fn hiding_repeated_under_its_key_is_done_once(bed: Bed) {
        let stand = Stand::new(&bed).await;
        let (kim, lee) = (stand.person("Kim").await, stand.person("Lee").await);
        let request = |blocked| {
            let message = SetBlockedRequest { member_id: lee.id.to_string(), blocked };
            kim.call().keyed(Some("k")).request(message)
        };
        let first = answer(stand.client().set_blocked(request(true)).await).unwrap();
        block(&stand, &kim, &lee.id.to_string(), false).await.unwrap();
        assert_eq!(answer(stand.client().set_blocked(request(true)).await).unwrap(), first);
        assert!(!get(&stand, &kim.call(), id(lee.id)).await.unwrap().viewer_has_blocked);
        let fault = Fault::from(stand.client().set_blocked(request(false)).await.unwrap_err());
        assert_eq!(fault.code(), Code::IdempotencyKeyReused);
    }
}
