//! Reading reviews: by id, and pages of gatherings and schedules.

use moim_kit::page::Cursor;

use crate::*;

/// The tag of cursors of lists of gatherings.
const OF_GATHERING: u8 = 0x31;

/// Three reviews, the oldest first.
async fn reviewed(world: &World) -> Vec<Review> {
    let mut reviews = Vec::new();
    for body in ["a", "b", "c"] {
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        reviews.push(world.write(member, world.schedule, 5, body).await.unwrap());
    }
    reviews
}

moim_testbed::on_both_databases! {
    async fn pages_are_newest_first_both_ways(bed: Bed) {
        let world = World::new(bed).await;
        reviewed(&world).await;
        let (gathering, schedule) = (world.gathering.to_string(), world.schedule.to_string());
        let of_gathering = async |page| {
            world.of_gatherings(vec![gathering.clone()], page).await.unwrap().remove(0)
        };
        let of_schedule =
            async |page| world.of_schedules(vec![schedule.clone()], page).await.unwrap().remove(0);
        for by_schedule in [false, true] {
            let list = async |page| match by_schedule {
                true => of_schedule(page).await,
                false => of_gathering(page).await,
            };
            let newest = list(first(2)).await;
            assert_eq!(bodies(&newest), "cb");
            let page = newest.page.unwrap();
            assert!(page.has_next_page && !page.has_previous_page);
            let after = Some(page.cursors[1].clone());
            let rest = list(PageRequest { after, ..first(2) }).await;
            assert_eq!(bodies(&rest), "a");
            assert!(!rest.page.unwrap().has_next_page);
            let oldest = list(last(2)).await;
            assert_eq!(bodies(&oldest), "ba");
            let page = oldest.page.unwrap();
            assert!(page.has_previous_page);
            let before = Some(page.cursors[0].clone());
            let rest = list(PageRequest { before, ..last(2) }).await;
            assert_eq!(bodies(&rest), "c");
        }
    }

    async fn lists_come_in_the_order_asked_and_empty_ones_too(bed: Bed) {
        let world = World::new(bed).await;
        reviewed(&world).await;
        let (nobodys, own) = (ScheduleId::fresh().to_string(), world.schedule.to_string());
        let asked = vec![nobodys, own.clone(), own];
        let lists = world.of_schedules(asked, first(2)).await.unwrap();
        assert_eq!(lists.iter().map(bodies).collect::<Vec<_>>(), ["", "cb", "cb"]);
    }

    async fn what_was_taken_back_is_in_no_list_and_not_got(bed: Bed) {
        let world = World::new(bed).await;
        let member = world.guest(world.schedule, AttendanceState::Attended).await;
        let gone = world.write(member, world.schedule, 1, "x").await.unwrap();
        world.delete(member, &gone.id).await.unwrap();
        let stands = reviewed(&world).await;
        let gathering = vec![world.gathering.to_string()];
        let lists = world.of_gatherings(gathering, first(10)).await.unwrap();
        assert_eq!(bodies(&lists[0]), "cba");
        let nobody = ScheduleId::fresh().to_string();
        let ids = vec![stands[2].id.clone(), gone.id, nobody, "x".to_owned(), stands[0].id.clone()];
        let mut got = world.get(ids).await.unwrap();
        got.sort_by(|a, b| a.body.cmp(&b.body));
        assert_eq!(got, [stands[0].clone(), stands[2].clone()]);
    }

    async fn bad_cursors_and_too_many_ids_are_refused(bed: Bed) {
        let world = World::new(bed).await;
        reviewed(&world).await;
        let own = vec![world.schedule.to_string()];
        let foreign = Cursor { key: 1, id: world.schedule.uuid() }.encode(OF_GATHERING);
        for cursor in ["", "x", &foreign] {
            let page = PageRequest { after: Some(cursor.to_owned()), ..first(2) };
            let fault = world.of_schedules(own.clone(), page).await.unwrap_err();
            assert_eq!(fault.reason(), "CURSOR_INVALID", "{cursor:?}");
        }
        let page = PageRequest { after: Some(foreign), ..first(2) };
        let two = vec![GatheringId::fresh().to_string(), world.gathering.to_string()];
        let fault = world.of_gatherings(two, page).await.unwrap_err();
        assert_eq!(fault.reason(), "CURSOR_NEEDS_ONE");
        let many = vec![ScheduleId::fresh().to_string(); 201];
        let fault = world.get(many.clone()).await.unwrap_err();
        assert_eq!(fault.reason(), "TOO_MANY_IDS");
        let fault = world.of_schedules(many.clone(), first(1)).await.unwrap_err();
        assert_eq!(fault.reason(), "TOO_MANY_IDS");
        let fault = world.of_gatherings(many, first(1)).await.unwrap_err();
        assert_eq!(fault.reason(), "TOO_MANY_IDS");
        let fault = world.of_schedules(vec!["x".to_owned()], first(1)).await.unwrap_err();
        assert_eq!(fault.reason(), "ID_INVALID");
    }
}
