//! Reading one's notifications: pages, streams that resume, what is read, and what is too old.

use std::time::Duration;

use moim_kit::Code;
use moim_kit::id::MemberId;
use moim_kit::page::Cursor;
use moim_notification::Config;
use moim_proto::notification::v1::*;
use moim_proto::page::v1::PageRequest;
use moim_testbed::on_both_databases;

use crate::stage::{Stage, ask};

fn page(first: i32, after: Option<String>) -> ListRequest {
    let page = PageRequest { first: Some(first), after, ..PageRequest::default() };
    ListRequest { unread_only: false, page: Some(page) }
}

fn numbers(of: &[Notification]) -> Vec<i64> {
    of.iter().map(|one| one.sequence).collect()
}

on_both_databases! {
    async fn a_page_goes_on_as_a_stream_and_a_stream_as_a_page(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        let empty = stage.resume(member, None).await.unwrap();
        assert_eq!((empty.last_sequence, empty.more), (0, false));
        stage.decide(member, 100);
        stage.heard(member, 100).await;
        stage.decide(member, 50);
        while stage.resume(member, None).await.unwrap().last_sequence < 150 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let newest = ask!(stage, member, list, page(2, None)).unwrap();
        assert_eq!(numbers(&newest.notifications), [150, 149]);
        let cursors = newest.page.unwrap().cursors;
        let next = ask!(stage, member, list, page(2, Some(cursors[1].clone()))).unwrap();
        assert_eq!(numbers(&next.notifications), [148, 147]);
        let back = PageRequest { last: Some(1), before: Some(cursors[1].clone()), ..PageRequest::default() };
        let back = ListRequest { unread_only: false, page: Some(back) };
        assert_eq!(numbers(&ask!(stage, member, list, back).unwrap().notifications), [150]);

        let after = next.page.unwrap().cursors[1].clone();
        let resumed = stage.resume(member, Some(&after)).await.unwrap();
        assert_eq!(numbers(&resumed.notifications), [148, 149, 150]);
        assert_eq!((resumed.last_sequence, resumed.more), (150, false));
        let older = ask!(stage, member, list, page(1, Some(resumed.cursors[0].clone()))).unwrap();
        assert_eq!(numbers(&older.notifications), [147]);
        let start = Cursor { key: 0, id: member.uuid() };
        let tag = 0x61;
        let first = stage.resume(member, Some(&start.encode(tag))).await.unwrap();
        assert_eq!((first.notifications.len(), first.more), (100, true));
        let rest = stage.resume(member, first.cursors.last().map(String::as_str)).await.unwrap();
        assert_eq!(numbers(&rest.notifications), (101..=150).collect::<Vec<_>>());
        let end = stage.resume(member, rest.cursors.last().map(String::as_str)).await.unwrap();
        assert!(end.notifications.is_empty() && !end.more);
    }

    async fn a_cursor_that_was_never_given_out_is_refused(bed: Bed) {
        let stage = Stage::set(bed).await;
        let [member, other] = [MemberId::fresh(), MemberId::fresh()];
        stage.decide(member, 2);
        stage.decide(other, 2);
        stage.heard(other, 2).await;
        for forged in [
            Cursor { key: 3, id: member.uuid() }.encode(0x61),
            Cursor { key: -1, id: member.uuid() }.encode(0x61),
            Cursor { key: 1, id: other.uuid() }.encode(0x61),
            Cursor { key: 1, id: member.uuid() }.encode(0x14),
            "nonsense".to_owned(),
        ] {
            let fault = stage.resume(member, Some(&forged)).await.unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::Invalid, "CURSOR_INVALID"));
            let fault = ask!(stage, member, list, page(1, Some(forged))).unwrap_err();
            assert_eq!((fault.reason(), fault.field()), ("CURSOR_INVALID", Some("after")));
        }
    }

    async fn reading_up_to_one_reads_all_older_ones_and_only_ones_own(bed: Bed) {
        let stage = Stage::set(bed).await;
        let [member, other] = [MemberId::fresh(), MemberId::fresh()];
        stage.decide(member, 5);
        let heard = stage.heard(member, 5).await;
        assert_eq!(stage.unread(member).await, 5);
        let read = |place: usize| MarkReadRequest { up_to_id: heard[place].id.clone() };
        let keyed = stage.bed.call(member).keyed(Some("once"));
        let first = stage.client().mark_read(keyed.request(read(2))).await.unwrap().into_inner();
        assert_eq!(first.unread_count, 2);
        assert_eq!(ask!(stage, member, mark_read, read(4)).unwrap().unread_count, 2);
        assert_eq!(ask!(stage, member, mark_read, read(0)).unwrap().unread_count, 0);
        let again = stage.client().mark_read(keyed.request(read(2))).await.unwrap().into_inner();
        assert_eq!(again, first, "the first answer under its key");
        let fault = ask!(stage, other, mark_read, read(0)).unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::NotFound, "NOTIFICATION_NOT_FOUND"));
        stage.decide(member, 1);
        let heard = stage.heard(member, 6).await;
        assert!(heard[1].read_at_us.is_some() && heard[0].read_at_us.is_none());
        let unread = ListRequest { unread_only: true, ..page(10, None) };
        assert_eq!(numbers(&ask!(stage, member, list, unread).unwrap().notifications), [6]);
        assert_eq!(stage.unread(member).await, 1);

        let ids: Vec<_> = heard.iter().map(|one| one.id.clone()).chain(["x".to_owned()]).collect();
        let own = ask!(stage, member, batch_get, BatchGetRequest { ids: ids.clone() }).unwrap();
        assert_eq!(own.notifications.len(), 6);
        let foreign = ask!(stage, other, batch_get, BatchGetRequest { ids }).unwrap();
        assert!(foreign.notifications.is_empty());
        let many = BatchGetRequest { ids: vec![String::new(); 201] };
        assert_eq!(ask!(stage, member, batch_get, many).unwrap_err().reason(), "TOO_MANY_IDS");
    }

    async fn nobody_has_to_sign_in_first(bed: Bed) {
        let stage = Stage::set(bed).await;
        let mut client = stage.client();
        let nobody = stage.bed.anonymous();
        for status in [
            client.batch_get(nobody.request(BatchGetRequest::default())).await.err(),
            client.list(nobody.request(page(1, None))).await.err(),
            client.count_unread(nobody.request(CountUnreadRequest {})).await.err(),
            client.mark_read(nobody.request(MarkReadRequest::default())).await.err(),
            client.resume(nobody.request(ResumeRequest::default())).await.err(),
        ] {
            assert_eq!(moim_kit::Fault::from(status.unwrap()).code(), Code::Unauthenticated);
        }
    }

    async fn what_is_too_old_is_forgotten_and_its_cursors_say_so(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        stage.decide(member, 3);
        let heard = stage.heard(member, 3).await;
        let read = MarkReadRequest { up_to_id: heard[2].id.clone() };
        ask!(stage, member, mark_read, read).unwrap();
        let later = stage.bed.clock.now().after(Duration::from_secs(91 * 24 * 3_600));
        stage.bed.clock.set(later);
        // A process sweeps as it starts.
        let _second = stage.second_room(Config::default()).await;
        while !stage.list(member).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stage.bed.clock.reset();
        assert_eq!(stage.unread(member).await, 0);
        stage.decide(member, 1);
        assert_eq!(numbers(&stage.heard(member, 1).await), [4], "numbers are not given again");
        let cursor = |key| Cursor { key, id: member.uuid() }.encode(0x61);
        for key in 0..3 {
            let fault = stage.resume(member, Some(&cursor(key))).await.unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::CursorExpired, "CURSOR_EXPIRED"));
        }
        let resumed = stage.resume(member, Some(&cursor(3))).await.unwrap();
        assert_eq!(numbers(&resumed.notifications), [4]);
    }
}
