//! Calendar files behind signed links.

use moim_kit::Code;

use crate::*;

async fn try_calendar(world: &World, id: &str, signature: &str) -> Result<String, Fault> {
    let request =
        GetCalendarRequest { schedule_id: id.to_owned(), signature: signature.to_owned() };
    let answer = world.client.clone().get_calendar(world.by_nobody().request(request)).await;
    answer.map(|answer| answer.into_inner().ics).map_err(Fault::from)
}

fn signature(schedule: &Schedule) -> &str {
    let expected = format!("/calendar/{}.ics?signature=", schedule.id);
    schedule.ics_path.strip_prefix(&expected).unwrap()
}

moim_testbed::on_both_databases! {
    async fn whoever_has_the_link_reads_the_calendar(bed: Bed) {
        let world = World::new(bed).await;
        let (host, _, schedule) = world.meetup(3).await;
        let ics = try_calendar(&world, &schedule.id, signature(&schedule)).await.unwrap();
        let text = ics.replace("\r\n ", "");
        for line in [
            "BEGIN:VCALENDAR",
            &format!("UID:{}@moim", schedule.id),
            "SEQUENCE:0",
            "STATUS:CONFIRMED",
            "SUMMARY:저녁 달리기",
            "LOCATION:여의나루역 2번 출구",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
        }
        assert!(text.contains("한강 달리기"), "the gathering's name");

        let request = UpdateRequest {
            schedule_id: schedule.id.clone(),
            place: Some("뚝섬".to_owned()),
            ..UpdateRequest::default()
        };
        let moved = world.try_update(host, request).await.unwrap();
        assert_eq!(moved.ics_path, schedule.ics_path, "a link lasts");
        let text = try_calendar(&world, &schedule.id, signature(&schedule)).await.unwrap();
        assert!(text.contains("SEQUENCE:1\r\n") && text.contains("LOCATION:뚝섬\r\n"), "{text}");
        let closing = UpdateRequest {
            schedule_id: schedule.id.clone(),
            closed: Some(true),
            capacity: Some(9),
            ..UpdateRequest::default()
        };
        world.try_update(host, closing).await.unwrap();
        world.try_cancel(host, &schedule, "비").await.unwrap();
        let text = try_calendar(&world, &schedule.id, signature(&schedule)).await.unwrap();
        assert!(text.contains("SEQUENCE:2\r\n") && text.contains("STATUS:CANCELLED\r\n"), "{text}");
    }

    async fn a_link_that_was_not_signed_tells_nothing(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(3).await;
        let other = world.create(host, world.plan(gathering, 3)).await;
        let unknown = Uuid::now_v7().to_string();
        for (id, signature) in [
            (schedule.id.as_str(), signature(&other)),
            (schedule.id.as_str(), ""),
            (schedule.id.as_str(), "한글"),
            (schedule.id.as_str(), &signature(&schedule)[..8]),
            (unknown.as_str(), signature(&schedule)),
            ("x", signature(&schedule)),
        ] {
            let fault = try_calendar(&world, id, signature).await.unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::NotFound, "SCHEDULE_NOT_FOUND"));
        }
    }

    async fn two_processes_that_start_together_sign_with_one_key(bed: Bed) {
        let mut grounds = Vec::new();
        for _ in 0..4 {
            grounds.push(bed.ground("schedule", &MIGRATIONS).await);
        }
        let opened = grounds.into_iter().map(|ground| {
            moim_schedule::open(Config::default(), ground, silent())
        });
        for room in futures::future::join_all(opened).await {
            room.unwrap();
        }
        let world = World::new(bed).await;
        let (_, _, schedule) = world.meetup(3).await;
        let mut second = world.second_room().await;
        let request = GetCalendarRequest {
            schedule_id: schedule.id.clone(),
            signature: signature(&schedule).to_owned(),
        };
        second.get_calendar(world.by_nobody().request(request)).await.unwrap();
    }

    async fn a_configured_key_is_used_and_must_be_long_enough(bed: Bed) {
        let short = Config { calendar_key: "short".to_owned(), ..Config::default() };
        let ground = bed.ground("schedule", &MIGRATIONS).await;
        let opened = moim_schedule::open(short, ground, silent());
        assert_eq!(opened.await.err().unwrap().reason(), "CALENDAR_KEY_SHORT");
        let config =
            Config { calendar_key: "열여섯 자보다 긴 열쇠".to_owned(), ..Config::default() };
        let world = World::with(bed, config).await;
        let (_, _, schedule) = world.meetup(3).await;
        try_calendar(&world, &schedule.id, signature(&schedule)).await.unwrap();
        let mut other_key = world.second_room().await;
        let request = GetCalendarRequest {
            schedule_id: schedule.id.clone(),
            signature: signature(&schedule).to_owned(),
        };
        refused(other_key.get_calendar(world.by_nobody().request(request)).await);
    }
}
