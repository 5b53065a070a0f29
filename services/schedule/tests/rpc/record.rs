//! Recording who came.

use moim_kit::Code;

use crate::*;

async fn try_record(
    world: &World,
    by: MemberId,
    attendance: &str,
    attended: bool,
) -> Result<Attendance, Fault> {
    let request = RecordAttendanceRequest { attendance_id: attendance.to_owned(), attended };
    let answer = world.client.clone().record_attendance(world.by(by).request(request)).await;
    answer.map(|answer| answer.into_inner().attendance.unwrap()).map_err(Fault::from)
}

moim_testbed::on_both_databases! {
    async fn a_host_records_who_came_and_may_correct_it(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(2).await;
        let seat = world.attend(world.guest(gathering, "하나"), &schedule).await;
        let fault = try_record(&world, host, &seat.id, true).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "SCHEDULE_NOT_STARTED"));
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let came = try_record(&world, host, &seat.id, true).await.unwrap();
        assert_eq!(came.state(), AttendanceState::Attended);
        assert_eq!(came.member, seat.member);
        let again = try_record(&world, host, &seat.id, true).await.unwrap();
        assert_eq!(again, came);
        let missed = try_record(&world, host, &seat.id, false).await.unwrap();
        assert_eq!(missed.state(), AttendanceState::NoShow);
        let seen = world.see(world.by(host), &schedule.id).await;
        assert_eq!(seen.going_count, 1, "the seat was taken all the same");
        // Came, then did not: what was recorded already is not told again.
        let told = world.told("attendance", 3).await;
        assert_eq!(told.iter().map(|fact| fact.version).collect::<Vec<_>>(), [1, 2, 3]);
        world.told("schedule", 2).await;
    }

    async fn only_those_who_had_a_seat_are_recorded_and_not_for_ever(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let [one, two, three] = ["하나", "둘", "셋"].map(|name| world.guest(gathering, name));
        let gone = world.attend(three, &schedule).await;
        world.try_withdraw(three, &schedule).await.unwrap();
        let seat = world.attend(one, &schedule).await;
        let waiting = world.attend(two, &schedule).await;
        world.bed.clock.set(Timestamp::from_us(schedule.ends_at_us));
        for attendance in [gone, waiting] {
            let fault = try_record(&world, host, &attendance.id, true).await.unwrap_err();
            assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "NOT_GOING"));
        }
        let end = Timestamp::from_us(schedule.ends_at_us);
        world.bed.clock.set(end.after(DAY * 29));
        try_record(&world, host, &seat.id, false).await.unwrap();
        world.bed.clock.set(end.after(DAY * 30 + HOUR));
        let fault = try_record(&world, host, &seat.id, true).await.unwrap_err();
        assert_eq!((fault.code(), fault.reason()), (Code::WrongState, "RECORDING_OVER"));
    }

    async fn a_cancelled_schedule_has_nothing_to_record(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let seat = world.attend(world.guest(gathering, "하나"), &schedule).await;
        world.try_cancel(host, &schedule, "비").await.unwrap();
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let fault = try_record(&world, host, &seat.id, true).await.unwrap_err();
        assert_eq!(fault.reason(), "SCHEDULE_CANCELLED");
    }

    async fn only_the_host_and_managers_record_and_hidden_attendances_are_missing(bed: Bed) {
        let world = World::new(bed).await;
        let (_, gathering, schedule) = world.meetup(1).await;
        let [one, two] = ["하나", "둘"].map(|name| world.guest(gathering, name));
        let stranger = world.member("손님");
        let seat = world.attend(one, &schedule).await;
        let waiting = world.attend(two, &schedule).await;
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        for (who, attendance, reason) in [
            (one, &seat, "NOT_ALLOWED"),
            (two, &seat, "NOT_ALLOWED"),
            (stranger, &seat, "NOT_A_MEMBER"),
            (two, &waiting, "NOT_ALLOWED"),
            (one, &waiting, "ATTENDANCE_NOT_FOUND"),
            (stranger, &waiting, "ATTENDANCE_NOT_FOUND"),
        ] {
            let fault = try_record(&world, who, &attendance.id, true).await.unwrap_err();
            assert_eq!(fault.reason(), reason);
        }
        for (id, reason) in [(Uuid::now_v7().to_string(), "ATTENDANCE_NOT_FOUND"), ("x".into(), "ID_INVALID")] {
            let fault = try_record(&world, one, &id, true).await.unwrap_err();
            assert_eq!((fault.reason(), fault.field()), (reason, Some("attendanceId")));
        }
        let request = RecordAttendanceRequest { attendance_id: seat.id, attended: true };
        let nobody = world.by_nobody().request(request);
        let fault = refused(world.client.clone().record_attendance(nobody).await);
        assert_eq!(fault.code(), Code::Unauthenticated);
    }

    async fn recording_again_with_its_key_gets_the_first_answer(bed: Bed) {
        let world = World::new(bed).await;
        let (host, gathering, schedule) = world.meetup(1).await;
        let seat = world.attend(world.guest(gathering, "하나"), &schedule).await;
        world.bed.clock.set(Timestamp::from_us(schedule.starts_at_us));
        let mut client = world.client.clone();
        let keyed = |attended| {
            let request = RecordAttendanceRequest { attendance_id: seat.id.clone(), attended };
            world.by(host).keyed(Some("once")).request(request)
        };
        let first = client.record_attendance(keyed(true)).await.unwrap().into_inner();
        let again = client.record_attendance(keyed(true)).await.unwrap().into_inner();
        assert_eq!(first, again);
        let fault = refused(client.record_attendance(keyed(false)).await);
        assert_eq!(fault.reason(), "IDEMPOTENCY_KEY_REUSED");
    }
}
