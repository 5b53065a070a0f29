//! Reading chats: pages both ways, who sees what, and resuming from a cursor.

use moim_kit::Code;
use moim_kit::page::Cursor;

use crate::*;

moim_testbed::on_both_databases! {
    async fn pages_go_both_ways_oldest_first(bed: Bed) {
        let world = World::new(bed).await;
        let (gathering, empty) = (GatheringId::fresh(), GatheringId::fresh());
        let member = world.guest(gathering).await;
        for text in ["a", "b", "c", "d", "e"] {
            world.says(member, gathering, text).await;
        }
        let call = || world.bed.call(member);
        let lists = world.list(call(), &[empty, gathering], last(2)).await.unwrap();
        assert!(!lists[0].visible && lists[0].messages.is_empty());
        let newest = &lists[1];
        assert_eq!(bodies(&newest.messages), ["d", "e"]);
        let page = newest.page.as_ref().unwrap();
        assert!(page.has_previous_page && !page.has_next_page);
        let before = PageRequest { before: Some(page.cursors[0].clone()), ..last(2) };
        let older = world.list(call(), &[gathering], before.clone()).await.unwrap();
        assert_eq!(bodies(&older[0].messages), ["b", "c"]);
        let after = older[0].page.as_ref().unwrap().cursors[1].clone();
        let after = PageRequest { after: Some(after), ..first(5) };
        let newer = world.list(call(), &[gathering], after).await.unwrap();
        assert_eq!(bodies(&newer[0].messages), ["d", "e"]);
        let fault = world.list(call(), &[empty, gathering], before.clone()).await.unwrap_err();
        assert_eq!((fault.reason(), fault.field()), ("CURSOR_NEEDS_ONE", Some("before")));
        let fault = world.list(call(), &[empty], before).await.unwrap_err();
        assert_eq!((fault.reason(), fault.field()), ("CURSOR_INVALID", Some("before")));
        let many = vec![empty; 201];
        assert_eq!(
            world.list(call(), &many, last(2)).await.unwrap_err().reason(),
            "TOO_MANY_IDS"
        );
    }

    async fn only_who_is_in_sees_anything_and_only_the_author_the_client_id(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let (author, other) = (world.guest(gathering).await, world.guest(gathering).await);
        let stranger = world.guest(GatheringId::fresh()).await;
        let sent = world.says(author, gathering, "a").await.message.unwrap();
        assert_eq!(sent.client_id.as_deref(), Some("a"));
        let get = async |call: Call| {
            let request = BatchGetRequest { ids: vec![sent.id.clone(), "x".to_owned()] };
            let answer = world.client.clone().batch_get(call.request(request)).await;
            answer.unwrap().into_inner().messages
        };
        assert_eq!(get(world.bed.call(author)).await, std::slice::from_ref(&sent));
        assert_eq!(get(world.bed.call(other)).await[0].client_id, None);
        assert!(get(world.bed.call(stranger)).await.is_empty());
        assert!(get(world.bed.anonymous()).await.is_empty());
        let lists = world.list(world.bed.anonymous(), &[gathering], last(2)).await.unwrap();
        assert!(!lists[0].visible && lists[0].messages.is_empty());
        assert_eq!(world.resume(stranger, gathering, None).await.unwrap_err().reason(), "NOT_A_MEMBER");
        world.leaves(gathering, author).await;
        assert!(get(world.bed.call(author)).await.is_empty());
        let fault = world.resume(author, gathering, None).await.unwrap_err();
        assert_eq!(fault.reason(), "NOT_A_MEMBER");
    }

    async fn a_reader_resumes_in_pieces_from_any_cursor(bed: Bed) {
        let world = World::new(bed).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        assert_eq!(world.resume(member, gathering, None).await.unwrap().last_sequence, 0);
        let mut cursor = String::new();
        for number in 1..=105 {
            let sent = world.says(member, gathering, &number.to_string()).await;
            if number == 1 {
                cursor = sent.cursor;
            }
        }
        let start = world.resume(member, gathering, None).await.unwrap();
        assert!(start.messages.is_empty() && start.last_sequence == 105 && !start.more);
        let piece = world.resume(member, gathering, Some(&cursor)).await.unwrap();
        assert_eq!((piece.messages.len(), piece.messages[0].sequence), (100, 2));
        assert!(piece.more);
        let rest = world.resume(member, gathering, piece.cursors.last().map(String::as_str)).await;
        let rest = rest.unwrap();
        assert_eq!(bodies(&rest.messages), ["102", "103", "104", "105"]);
        assert!(!rest.more);
        let end = world.resume(member, gathering, rest.cursors.last().map(String::as_str)).await;
        assert!(end.unwrap().messages.is_empty());
    }

    async fn a_forged_cursor_is_refused_and_one_too_far_behind_has_expired(bed: Bed) {
        let config = Config { resume_limit: 2, ..Config::default() };
        let world = World::with(bed, config).await;
        let gathering = GatheringId::fresh();
        let member = world.guest(gathering).await;
        let mut cursors = Vec::new();
        for text in ["a", "b", "c", "d"] {
            cursors.push(world.says(member, gathering, text).await.cursor);
        }
        let beyond = Cursor { key: 5, id: gathering.uuid() }.encode(0x41);
        let foreign = Cursor { key: 2, id: GatheringId::fresh().uuid() }.encode(0x41);
        let listed = Cursor { key: 2, id: gathering.uuid() }.encode(1);
        for forged in ["", "x", &beyond, &foreign, &listed] {
            let fault = world.resume(member, gathering, Some(forged)).await.unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::Invalid, "CURSOR_INVALID"));
        }
        let fault = world.resume(member, gathering, Some(&cursors[0])).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::CursorExpired, "CURSOR_EXPIRED"));
        let rest = world.resume(member, gathering, Some(&cursors[1])).await.unwrap();
        assert_eq!(bodies(&rest.messages), ["c", "d"]);
    }
}
