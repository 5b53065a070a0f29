//! What costs something in town: a few meetups of the coming weeks, and wallets to pay them from.

use std::time::Duration;

use moim_kit::{Fault, Timestamp};
use moim_proto::payment::v1::TopUpRequest;
use moim_proto::schedule::v1::{
    AttendRequest, Attendance, AttendanceState, BatchGetAttendancesRequest, CreateRequest,
};

use super::content::GatheringPlan;
use super::gatherings::GUEST;
use super::progress;
use super::settlers::{Settlers, patiently};
use crate::house::House;

const HOUR: Duration = Duration::from_secs(3_600);
/// The first account.
const HOST: usize = 0;
/// What everybody who pays for something had put into their wallet.
const WALLET_KRW: i64 = 60_000;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 600;

/// A meetup with a fee, in one of the weeks after the next Saturday.
struct Costly {
    key: &'static str,
    week: i64,
    hour: i64,
    length_hours: u32,
    seats: i32,
    fee_krw: i32,
    /// How many sign up by themselves; those beyond the seats wait, every other one promising to pay.
    takers: usize,
    title: &'static str,
    place: &'static str,
    description: &'static str,
}

const TABLE: &[Costly] = &[
    Costly {
        key: "seongsu-baking",
        week: 1,
        hour: 14,
        length_hours: 3,
        seats: 8,
        fee_krw: 25_000,
        takers: 5,
        title: "버터 듬뿍 크루아상 수업",
        place: "성수동 공유주방 2층",
        description: "참가비에 재료와 앞치마가 들어 있어요. 만든 빵은 모두 가져가십니다.",
    },
    Costly {
        key: "icheon-clay",
        week: 2,
        hour: 13,
        length_hours: 4,
        seats: 6,
        fee_krw: 30_000,
        takers: 4,
        title: "컵 두 개와 접시 하나 빚기",
        place: "이천 도예마을 공방",
        description: "흙값과 가마 비용이 참가비에 들어 있습니다. 완성한 그릇은 한 달 뒤에 찾아가세요.",
    },
    Costly {
        key: "hangang-sunset",
        week: 2,
        hour: 18,
        length_hours: 3,
        seats: 6,
        fee_krw: 20_000,
        takers: 9,
        title: "유람선 갑판석에서 보는 노을",
        place: "여의도 선착장 매표소",
        description: "뱃삯입니다. 자리가 적으니 못 오시게 되면 하루 전까지 꼭 취소해 주세요.",
    },
    Costly {
        key: "sinchon-board",
        week: 3,
        hour: 13,
        length_hours: 5,
        seats: 12,
        fee_krw: 12_000,
        takers: 6,
        title: "보드게임 카페 통째로 빌린 날",
        place: "신촌역 2번 출구 앞",
        description: "카페 대관료를 나누어 냅니다. 음료 한 잔이 들어 있어요.",
    },
    Costly {
        key: "han-run",
        week: 3,
        hour: 8,
        length_hours: 3,
        seats: 20,
        fee_krw: 10_000,
        takers: 7,
        title: "10km 기록 재는 아침",
        place: "여의도 이벤트광장",
        description: "칩과 번호표, 완주 후 국밥이 참가비에 들어 있습니다.",
    },
    Costly {
        key: "gangneung-coffee",
        week: 4,
        hour: 10,
        length_hours: 2,
        seats: 6,
        fee_krw: 15_000,
        takers: 3,
        title: "게이샤 세 가지 맛보기",
        place: "안목해변 로스터리",
        description: "비싼 콩이라 원둣값만 받습니다. 남은 콩은 조금씩 나눠 드려요.",
    },
];

/// Announces what costs something, fills the wallets of those who come and of both accounts, and has
/// everybody pay; `today` is its first hour in Seoul.
pub async fn charge(
    house: &House,
    settlers: &Settlers<'_>,
    plans: &[GatheringPlan],
    ids: &[String],
    (today, days_to_saturday): (Timestamp, i64),
) -> Result<(), Fault> {
    let bar = progress(TABLE.len(), "fees");
    let mut filled = Vec::new();
    fill(house, settlers, &mut filled, HOST).await?;
    fill(house, settlers, &mut filled, GUEST).await?;
    for row in TABLE {
        let found = plans.iter().zip(ids).find(|(plan, _)| plan.key == row.key);
        let Some((plan, gathering)) = found else { continue };
        let hours = (days_to_saturday + 7 * row.week) * 24 + row.hour;
        let starts_at = today.after(HOUR * u32::try_from(hours).unwrap_or_default());
        let mut rooms = house.upstream.schedule.clone();
        let created = rooms.create(settlers.call(plan.host)?.request(CreateRequest {
            gathering_id: gathering.clone(),
            title: row.title.to_owned(),
            description: row.description.to_owned(),
            place: row.place.to_owned(),
            starts_at_us: starts_at.us(),
            ends_at_us: starts_at.after(HOUR * row.length_hours).us(),
            time_zone: "Asia/Seoul".to_owned(),
            capacity: row.seats,
            fee_krw: row.fee_krw,
            refundable_until_us: None,
        }));
        let schedule = created.await?.into_inner().schedule;
        let schedule = schedule.ok_or_else(|| Fault::internal("no schedule in the answer"))?.id;
        let takers = plan.members.iter().filter(|person| **person != GUEST).take(row.takers);
        for (turn, &person) in takers.enumerate() {
            fill(house, settlers, &mut filled, person).await?;
            attend(house, settlers, &schedule, person, turn % 2 == 0).await?;
        }
        bar.inc(1);
    }
    bar.finish();
    Ok(())
}

/// Puts money into somebody's wallet, once.
async fn fill(
    house: &House,
    settlers: &Settlers<'_>,
    filled: &mut Vec<usize>,
    person: usize,
) -> Result<(), Fault> {
    if filled.contains(&person) {
        return Ok(());
    }
    let call = settlers.call(person)?;
    let added = patiently(|| {
        let request = TopUpRequest { amount_krw: WALLET_KRW, payment_key: String::new() };
        let request = call.request(request);
        let mut rooms = house.upstream.payment.clone();
        async move { rooms.top_up(request).await }
    });
    added.await?;
    filled.push(person);
    Ok(())
}

/// Signs somebody up and waits until their money is where it belongs; who is elsewhere then stays away.
async fn attend(
    house: &House,
    settlers: &Settlers<'_>,
    schedule: &str,
    person: usize,
    auto_pay: bool,
) -> Result<(), Fault> {
    let call = settlers.call(person)?;
    let attended = patiently(|| {
        let request = call.request(AttendRequest {
            schedule_id: schedule.to_owned(),
            join_waitlist: true,
            allow_overlap: false,
            auto_pay,
        });
        let mut rooms = house.upstream.schedule.clone();
        async move { rooms.attend(request).await }
    });
    let mut attendance = match attended.await {
        Ok(answer) => answer.into_inner().attendance,
        Err(fault) if fault.code() == moim_kit::Code::Overlaps => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let pays = |it: &Attendance| it.state() == AttendanceState::PendingPayment;
    for _ in 0..LOOKS {
        let Some(paying) = attendance.filter(pays) else { return Ok(()) };
        tokio::time::sleep(LOOK_EVERY).await;
        let request = BatchGetAttendancesRequest { ids: vec![paying.id] };
        let request = settlers.call(person)?.request(request);
        let found = house.upstream.schedule.clone().batch_get_attendances(request).await?;
        attendance = found.into_inner().attendances.pop();
    }
    Err(Fault::internal("a seat was not paid for"))
}

#[cfg(test)]
mod tests {
    use super::super::gatherings::gatherings;
    use super::*;

    #[test]
    fn every_fee_is_taken_by_a_gathering_with_people_who_can_pay_it() {
        let plans = gatherings();
        let mut open_to_the_guest = 0;
        for row in TABLE {
            let plan = plans.iter().find(|plan| plan.key == row.key).unwrap();
            assert!(
                plan.members.iter().filter(|it| **it != GUEST).count() >= row.takers,
                "{}",
                row.key
            );
            assert!((1..=WALLET_KRW).contains(&i64::from(row.fee_krw)), "{}", row.key);
            let joined = plan.members.contains(&GUEST) || plan.host == GUEST;
            open_to_the_guest += usize::from(joined && row.takers < row.seats as usize);
        }
        assert!(open_to_the_guest > 0, "who signs in as told has nothing to pay for");
        assert!(TABLE.iter().any(|row| row.takers > row.seats as usize), "nobody waits");
    }
}
