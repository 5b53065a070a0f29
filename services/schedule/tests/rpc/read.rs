//! Reading schedules and attendances, in batches and in pages both ways.

use moim_kit::Code;
use moim_proto::gathering::v1::{MembershipRole, MembershipStatus};

use crate::*;

impl World {
    async fn list_schedules(&self, call: Call, request: BatchListRequest) -> Vec<ScheduleList> {
        let answer = self.client.clone().batch_list(call.request(request)).await;
        answer.unwrap().into_inner().lists
    }

    async fn list_own(
        &self,
        member: MemberId,
        request: ListViewerAttendancesRequest,
    ) -> ListViewerAttendancesResponse {
        let request = self.by(member).request(request);
        self.client.clone().list_viewer_attendances(request).await.unwrap().into_inner()
    }

    /// Schedules of a gathering on the days to come, one an hour long on each.
    async fn days(&self, host: MemberId, gathering: GatheringId, days: u32) -> Vec<Schedule> {
        let mut schedules = Vec::new();
        for day in 1..=days {
            let starts_at = self.now().after(DAY * day);
            let plan = CreateRequest {
                title: format!("{day}일 뒤"),
                starts_at_us: starts_at.us(),
                ends_at_us: starts_at.after(HOUR).us(),
                ..self.plan(gathering, 3)
            };
            schedules.push(self.create(host, plan).await);
        }
        schedules
    }
}

fn of(gatherings: &[GatheringId], page: PageRequest) -> BatchListRequest {
    BatchListRequest {
        gathering_ids: gatherings.iter().map(ToString::to_string).collect(),
        page: Some(page),
        ..BatchListRequest::default()
    }
}

fn titles(list: &ScheduleList) -> Vec<&str> {
    list.schedules.iter().map(|schedule| schedule.title.as_str()).collect()
}

moim_testbed::on_both_databases! {
    async fn schedules_are_found_by_id_and_the_rest_is_left_out(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let schedules = world.days(host, gathering, 3).await;
        let mut ids: Vec<_> = schedules.iter().map(|schedule| schedule.id.clone()).collect();
        ids.extend([Uuid::now_v7().to_string(), "x".to_owned(), ids[0].clone()]);
        let mut client = world.client.clone();
        let request = world.by(host).request(BatchGetRequest { ids });
        let mut found = client.batch_get(request).await.unwrap().into_inner().schedules;
        found.sort_by_key(|schedule| schedule.starts_at_us);
        assert_eq!(found, schedules);
        let many = BatchGetRequest { ids: vec![Uuid::nil().to_string(); 201] };
        let fault = refused(client.batch_get(world.by_nobody().request(many)).await);
        assert_eq!((fault.code(), fault.reason()), (Code::Invalid, "TOO_MANY_IDS"));
    }

    async fn everyone_sees_their_own_option_in_one_batch(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let schedules = world.days(host, gathering, 3).await;
        let elsewhere = world.gathering(world.member("다른 모임장"));
        let stranger = world.guest(elsewhere, "손님");
        let (one, two) = (world.guest(gathering, "하나"), world.guest(gathering, "둘"));
        for filler in ["가", "나", "다"] {
            world.attend(world.guest(gathering, filler), &schedules[1]).await;
        }
        world.attend(one, &schedules[0]).await;
        world.attend(one, &schedules[1]).await;
        world.attend(two, &schedules[1]).await;
        let ids: Vec<_> = schedules.iter().map(|schedule| schedule.id.clone()).collect();
        let options = async |call: Call| {
            let request = call.request(BatchGetRequest { ids: ids.clone() });
            let answer = world.client.clone().batch_get(request).await.unwrap().into_inner();
            let mut found = answer.schedules;
            found.sort_by_key(|schedule| schedule.starts_at_us);
            found.iter().map(Schedule::viewer_option).collect::<Vec<_>>()
        };
        use AttendOption as Option;
        assert_eq!(options(world.by_nobody()).await, [Option::LogIn; 3]);
        assert_eq!(options(world.by(stranger)).await, [Option::JoinGathering; 3]);
        let expected = [Option::Withdraw, Option::Withdraw, Option::Attend];
        assert_eq!(options(world.by(one)).await, expected);
        let expected = [Option::Attend, Option::JoinWaitlist, Option::Attend];
        assert_eq!(options(world.by(host)).await, expected);
        let seen = world.see(world.by(two), &schedules[1].id).await;
        assert_eq!(seen.viewer_attendance.unwrap().waitlist_position, Some(2));
        world.bed.clock.set(Timestamp::from_us(schedules[0].starts_at_us));
        let expected = [Option::None, Option::Withdraw, Option::Attend];
        assert_eq!(options(world.by(one)).await, expected);
        world.bed.clock.set(Timestamp::from_us(schedules[0].ends_at_us));
        let ended = world.see(world.by(one), &schedules[0].id).await;
        assert_eq!(ended.status(), ScheduleStatus::Ended);
    }

    async fn schedules_of_several_gatherings_come_soonest_first_in_the_order_asked(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let [full, empty, short] = [(); 3].map(|()| world.gathering(host));
        world.days(host, full, 4).await;
        world.days(host, short, 1).await;
        let unknown = GatheringId::fresh();
        let asked = of(&[short, full, unknown, empty, full], first(2));
        let lists = world.list_schedules(world.by(host), asked).await;
        assert_eq!(lists.len(), 5);
        assert_eq!(titles(&lists[0]), ["1일 뒤"]);
        assert_eq!(titles(&lists[1]), ["1일 뒤", "2일 뒤"]);
        assert!(lists[2].schedules.is_empty() && lists[3].schedules.is_empty());
        assert_eq!(lists[4], lists[1]);
        assert!(lists[1].page.as_ref().unwrap().has_next_page);
        assert!(!lists[0].page.as_ref().unwrap().has_next_page);
        let ends = world.list_schedules(world.by(host), of(&[full, short], last(1))).await;
        assert_eq!((titles(&ends[0]), titles(&ends[1])), (vec!["4일 뒤"], vec!["1일 뒤"]));
        assert!(ends[0].page.as_ref().unwrap().has_previous_page);
    }

    async fn schedules_are_paged_both_ways_and_filtered_by_time(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let schedules = world.days(host, gathering, 5).await;
        let page = async |page| {
            world.list_schedules(world.by_nobody(), of(&[gathering], page)).await.remove(0)
        };
        let one = page(first(2)).await;
        let after = one.page.clone().unwrap().cursors.pop();
        let two = page(PageRequest { after, ..first(2) }).await;
        assert_eq!(titles(&two), ["3일 뒤", "4일 뒤"]);
        let info = two.page.clone().unwrap();
        assert!(info.has_next_page && info.has_previous_page);
        let before = Some(info.cursors[0].clone());
        let back = page(PageRequest { before, ..last(1) }).await;
        assert_eq!(titles(&back), ["2일 뒤"]);
        assert!(back.page.unwrap().has_previous_page);

        let within = BatchListRequest {
            from_us: Some(schedules[0].ends_at_us),
            until_us: Some(schedules[3].starts_at_us),
            ..of(&[gathering], first(10))
        };
        let lists = world.list_schedules(world.by_nobody(), within).await;
        assert_eq!(titles(&lists[0]), ["2일 뒤", "3일 뒤"]);
    }

    async fn pages_that_make_no_sense_are_refused(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(3).await;
        world.attend(world.guest(gathering, "하나"), &schedule).await;
        let mut client = world.client.clone();
        let mut ask = async |request: BatchListRequest| {
            let fault = refused(client.batch_list(world.by(host).request(request)).await);
            (fault.reason().to_owned(), fault.field().unwrap_or_default().to_owned())
        };
        let field = |reason: &str, field: &str| (reason.to_owned(), field.to_owned());
        let nothing = BatchListRequest { page: None, ..of(&[gathering], first(1)) };
        assert_eq!(ask(nothing).await, field("PAGE_INVALID", "first"));
        assert_eq!(ask(of(&[gathering], first(101))).await, field("PAGE_INVALID", "first"));
        let list = world
            .list(world.by(host), &schedule, AttendanceState::Going, first(1))
            .await;
        let foreign = PageRequest { after: list.page.unwrap().cursors.pop(), ..first(1) };
        assert_eq!(ask(of(&[gathering], foreign)).await, field("CURSOR_INVALID", "after"));
        let lists = world.list_schedules(world.by(host), of(&[gathering], first(1))).await;
        let cursor = lists[0].page.as_ref().unwrap().cursors[0].clone();
        let two = of(&[gathering, gathering], PageRequest { after: Some(cursor), ..first(1) });
        assert_eq!(ask(two).await, field("CURSOR_NEEDS_ONE", "after"));
        let nonsense = BatchListRequest { gathering_ids: vec!["x".into()], ..of(&[], first(1)) };
        assert_eq!(ask(nonsense).await, field("ID_INVALID", "gatheringIds"));
        let many = of(&vec![gathering; 201], first(1));
        assert_eq!(ask(many).await, field("TOO_MANY_IDS", ""));
        let stateless = BatchListAttendancesRequest {
            schedule_ids: vec![schedule.id.clone()],
            state: 0,
            page: Some(first(1)),
        };
        let request = world.by(host).request(stateless);
        let fault = refused(world.client.clone().batch_list_attendances(request).await);
        assert_eq!((fault.reason(), fault.field()), ("STATE_INVALID", Some("state")));
    }

    async fn who_goes_is_public_and_the_rest_is_for_those_who_lead(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(2).await;
        let manager = world.member("운영진");
        world.standing(gathering, manager, MembershipRole::Manager, MembershipStatus::Active);
        let members = ["하나", "둘", "셋", "넷"].map(|name| world.guest(gathering, name));
        let mut ids = Vec::new();
        for member in members {
            ids.push(world.attend(member, &schedule).await.id);
        }
        world.try_withdraw(members[3], &schedule).await.unwrap();
        let stranger = world.member("손님");
        let get = async |call: Call| {
            let request = BatchGetAttendancesRequest { ids: [ids.clone(), vec!["x".into()]].concat() };
            let answer = world.client.clone().batch_get_attendances(call.request(request)).await;
            let mut names: Vec<_> = answer
                .unwrap()
                .into_inner()
                .attendances
                .into_iter()
                .map(|of| of.member.unwrap().nickname)
                .collect();
            names.sort();
            names
        };
        for leader in [host, manager] {
            for (state, names) in [
                (AttendanceState::Going, vec!["하나", "둘"]),
                (AttendanceState::Waitlisted, vec!["셋"]),
                (AttendanceState::Withdrawn, vec!["넷"]),
                (AttendanceState::NoShow, vec![]),
            ] {
                assert_eq!(world.nicknames(leader, &schedule, state).await, names);
            }
            assert_eq!(get(world.by(leader)).await.len(), 4);
        }
        for other in [members[2], stranger] {
            let going = world.nicknames(other, &schedule, AttendanceState::Going).await;
            assert_eq!(going, ["하나", "둘"]);
            for state in [AttendanceState::Waitlisted, AttendanceState::Withdrawn] {
                assert!(world.nicknames(other, &schedule, state).await.is_empty());
            }
        }
        assert_eq!(get(world.by(members[2])).await, ["둘", "셋", "하나"]);
        assert_eq!(get(world.by(stranger)).await, ["둘", "하나"]);
        assert_eq!(get(world.by_nobody()).await, ["둘", "하나"]);
        let list = world
            .list(world.by_nobody(), &schedule, AttendanceState::Waitlisted, first(5))
            .await;
        assert!(list.attendances.is_empty());
    }

    async fn the_line_is_paged_in_its_order_with_positions(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        for n in 0..6 {
            world.attend(world.guest(gathering, &format!("회원{n}")), &schedule).await;
        }
        let page = async |page| {
            world.list(world.by(host), &schedule, AttendanceState::Waitlisted, page).await
        };
        let positions = |list: &AttendanceList| -> Vec<_> {
            list.attendances.iter().filter_map(|of| of.waitlist_position).collect()
        };
        let one = page(first(2)).await;
        assert_eq!(positions(&one), [1, 2]);
        let after = one.page.unwrap().cursors.pop();
        assert_eq!(positions(&page(PageRequest { after, ..first(2) }).await), [3, 4]);
        let end = page(last(2)).await;
        assert_eq!(positions(&end), [4, 5]);
        let before = Some(end.page.unwrap().cursors.remove(0));
        let rest = page(PageRequest { before, ..last(9) }).await;
        assert_eq!(positions(&rest), [1, 2, 3]);
        assert!(!rest.page.unwrap().has_previous_page);
    }

    async fn a_member_sees_all_of_their_own_attendances_soonest_first(bed: Bed) {
        let world = World::new(bed).await;
        let host = world.member("모임장");
        let gathering = world.gathering(host);
        let schedules = world.days(host, gathering, 4).await;
        let member = world.guest(gathering, "하나");
        for schedule in [&schedules[2], &schedules[0], &schedules[3], &schedules[1]] {
            world.attend(member, schedule).await;
        }
        world.try_withdraw(member, &schedules[1]).await.unwrap();
        let request = |page| ListViewerAttendancesRequest { page: Some(page), ..Default::default() };
        let ids = |answer: &ListViewerAttendancesResponse| -> Vec<_> {
            answer.attendances.iter().map(|of| of.schedule_id.clone()).collect()
        };
        let id = |n: usize| schedules[n].id.clone();
        let one = world.list_own(member, request(first(2))).await;
        assert_eq!(ids(&one), [id(0), id(2)]);
        let info = one.page.unwrap();
        assert!(info.has_next_page);
        let after = info.cursors.into_iter().next_back();
        let two = world.list_own(member, request(PageRequest { after, ..first(2) })).await;
        assert_eq!(ids(&two), [id(3)]);
        let before = two.page.unwrap().cursors.into_iter().next();
        let back = world.list_own(member, request(PageRequest { before, ..last(1) })).await;
        assert_eq!(ids(&back), [id(2)]);
        let within = ListViewerAttendancesRequest {
            from_us: Some(schedules[0].ends_at_us),
            until_us: Some(schedules[3].starts_at_us),
            ..request(first(9))
        };
        assert_eq!(ids(&world.list_own(member, within).await), [id(2)]);
        assert!(world.list_own(host, request(first(9))).await.attendances.is_empty());
        let nobody = world.by_nobody().request(request(first(1)));
        let fault = refused(world.client.clone().list_viewer_attendances(nobody).await);
        assert_eq!(fault.code(), Code::Unauthenticated);
    }
}
