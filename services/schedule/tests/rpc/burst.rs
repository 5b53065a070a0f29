//! Many at once for few seats, through two rooms on one database.

use std::collections::HashSet;

use crate::*;

const SEATS: i32 = 20;
const PEOPLE: usize = 200;

/// Tries as a client would: again with the same key while the answer says that it may help.
async fn attend_patiently(mut client: Client, call: Call, schedule: &Schedule) -> Attendance {
    for _ in 0..20 {
        match client.attend(call.request(attend(schedule))).await {
            Ok(answer) => return answer.into_inner().attendance.unwrap(),
            Err(status) => {
                let fault = Fault::from(status);
                assert!(fault.code().is_retryable(), "{fault}");
            }
        }
    }
    panic!("trying again did not help");
}

moim_testbed::on_both_databases! {
    async fn two_hundred_people_and_twenty_seats_leave_everyone_with_just_one_place(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(SEATS).await;
        let people: Vec<_> =
            (0..PEOPLE).map(|n| world.guest(gathering, &format!("회원{n}"))).collect();
        world.all_arrived().await;
        let rooms = [world.client.clone(), world.second_room().await];
        let tries = people.iter().enumerate().map(|(n, member)| {
            let call = world.by(*member).until(tokio::time::Instant::now() + HOUR);
            attend_patiently(rooms[n % 2].clone(), call, &schedule)
        });
        let answers = futures::future::join_all(tries).await;

        let going = answers.iter().filter(|of| of.state() == AttendanceState::Going).count();
        assert_eq!(going, 20);
        let given: HashSet<_> =
            answers.iter().filter_map(|of| of.waitlist_position).collect();
        assert_eq!(given, (1..=180).collect(), "each place in line was given once");

        let seen = world.see(world.by(host), &schedule.id).await;
        assert_eq!((seen.going_count, seen.waitlist_count), (20, 180));
        assert_eq!(world.nicknames(host, &schedule, AttendanceState::Going).await.len(), 20);
        let one = world.list(world.by(host), &schedule, AttendanceState::Waitlisted, first(100)).await;
        let after = PageRequest { after: one.page.unwrap().cursors.pop(), ..first(100) };
        let two = world.list(world.by(host), &schedule, AttendanceState::Waitlisted, after).await;
        let line: Vec<_> = one.attendances.into_iter().chain(two.attendances).collect();
        let positions: Vec<_> = line.iter().filter_map(|of| of.waitlist_position).collect();
        assert_eq!(positions, (1..=180).collect::<Vec<_>>());
        for place in &line {
            let answer = answers.iter().find(|answer| answer.id == place.id).unwrap();
            assert_eq!(answer.waitlist_position, place.waitlist_position);
        }

        let told = world.told("schedule", 1 + PEOPLE).await;
        let versions: Vec<_> = told.iter().map(|fact| fact.version).collect();
        assert_eq!(versions, (1..=201).collect::<Vec<_>>());
        world.told("attendance", PEOPLE).await;
    }

    async fn coming_going_resizing_and_leaving_at_once_ends_in_order(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(4).await;
        let twin = world.create(host, world.plan(gathering, 4)).await;
        let people: Vec<_> =
            (0..24).map(|n| world.guest(gathering, &format!("회원{n}"))).collect();
        world.all_arrived().await;
        let both = [&schedule, &twin];
        let come_and_go = people.iter().enumerate().map(async |(n, member)| {
            let mut faults = Vec::new();
            for round in 0..6 {
                let schedule = both[(n + round) % 2];
                faults.extend(world.try_attend(*member, schedule).await.err());
                if (n + round) % 3 == 0 {
                    faults.extend(world.try_withdraw(*member, schedule).await.err());
                }
                if n % 5 == 0 && round == 3 {
                    world.leaves(gathering, *member);
                }
            }
            faults
        });
        let resize = async {
            let mut faults = Vec::new();
            for capacity in [6, 3, 8, 2, 5, 9, 4, 7] {
                for schedule in both {
                    let request = UpdateRequest {
                        schedule_id: schedule.id.clone(),
                        capacity: Some(capacity),
                        ..UpdateRequest::default()
                    };
                    faults.extend(world.try_update(host, request).await.err());
                }
            }
            faults
        };
        let (went, resized) =
            futures::future::join(futures::future::join_all(come_and_go), resize).await;
        let allowed = [
            "ALREADY_ATTENDING",
            "NOT_ATTENDING",
            "NOT_A_MEMBER",
            "CAPACITY_TOO_SMALL",
            "SCHEDULE_OVERLAP",
        ];
        for fault in went.iter().flatten().chain(&resized) {
            assert!(allowed.contains(&fault.reason()), "{fault}");
        }
        world.all_arrived().await;
        for schedule in both {
            let seen = world.see(world.by(host), &schedule.id).await;
            let going = world.nicknames(host, schedule, AttendanceState::Going).await;
            let waiting = world.nicknames(host, schedule, AttendanceState::Waitlisted).await;
            assert_eq!(going.len(), usize::try_from(seen.going_count).unwrap());
            assert_eq!(waiting.len(), usize::try_from(seen.waitlist_count).unwrap());
            assert!(seen.going_count <= seen.capacity);
            assert!(waiting.is_empty() || seen.going_count == seen.capacity, "{seen:?}");
            for n in (0..24).step_by(5) {
                let gone = format!("회원{n}");
                assert!(!going.contains(&gone) && !waiting.contains(&gone), "{gone} has left");
            }
        }
    }
}
