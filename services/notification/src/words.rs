//! What people read: every text in English and in polite Korean, with the names of the time.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;
use moim_kit::Timestamp;

use crate::rules::{End, Meetup, Move, Offer, Role, Turn};

/// English and Korean.
pub type Both = (String, String);

/// What is said of a membership that moved.
pub fn of_membership(moved: Move, title: &str, nickname: &str) -> Both {
    match moved {
        Move::Requested => (
            format!("{nickname} asks to join {title}."),
            format!("{nickname}님이 '{title}' 모임에 가입을 신청했습니다."),
        ),
        Move::Approved => (
            format!("You are now a member of {title}."),
            format!("'{title}' 모임 가입 신청이 승인되었습니다."),
        ),
        Move::Rejected => (
            format!("Your request to join {title} was declined."),
            format!("'{title}' 모임 가입 신청이 거절되었습니다."),
        ),
        Move::Removed => (
            format!("You were removed from {title}."),
            format!("'{title}' 모임에서 제외되었습니다."),
        ),
        Move::Banned => (
            format!("You were removed from {title} for good."),
            format!("'{title}' 모임에서 제외되어 다시 가입하실 수 없습니다."),
        ),
        Move::RoleChanged(role) => {
            let (english, korean) = match role {
                Role::Host => ("the host", "모임장이"),
                Role::Manager => ("a manager", "운영진이"),
                Role::Member => ("a member", "일반 회원이"),
            };
            (
                format!("You are now {english} of {title}."),
                format!("이제 '{title}' 모임의 {korean} 되셨습니다."),
            )
        }
    }
}

/// What is said of a schedule.
pub fn of_schedule(turn: &Turn, meetup: &Meetup, gathering: &str) -> Both {
    let (title, (when, korean)) = (&meetup.title, when(meetup));
    match turn {
        Turn::Announced => (
            format!("New at {gathering}: {title}, {when}."),
            format!("'{gathering}' 모임에 새 일정이 생겼습니다: {title}, {korean}."),
        ),
        Turn::Changed => (
            format!("{title} of {gathering} has changed; it starts {when}."),
            format!("'{gathering}' 모임의 '{title}' 일정이 바뀌었습니다. {korean}에 시작합니다."),
        ),
        Turn::Cancelled { reason } => (
            format!("{title} of {gathering} was cancelled: {reason}"),
            format!("'{gathering}' 모임의 '{title}' 일정이 취소되었습니다: {reason}"),
        ),
    }
}

/// What is said of a seat that came free for somebody.
pub fn of_seat(meetup: &Meetup, offer: Option<Offer>) -> Both {
    let (title, (when, korean)) = (&meetup.title, when(meetup));
    let Some(Offer { until, fee_krw }) = offer else {
        return (
            format!("You have a seat at {title}, {when}."),
            format!("'{title}' 일정에 자리가 나서 참석이 확정되었습니다. {korean}에 만나요."),
        );
    };
    let (fee, (until, until_korean)) = (krw(fee_krw), instant(until, &meetup.time_zone));
    (
        format!(
            "A seat at {title}, {when}, is held for you until {until}. Accept it for {fee} KRW."
        ),
        format!(
            "'{title}' 일정에 자리가 났습니다. {until_korean}까지 참가비 {fee}원으로 참석을 수락하실 수 있습니다."
        ),
    )
}

/// What is said of an order that ended.
pub fn of_order(end: End, title: &str, amount_krw: i64) -> Both {
    let amount = krw(amount_krw);
    match end {
        End::Paid => (
            format!("You paid {amount} KRW for {title}; your seat is confirmed."),
            format!("'{title}' 일정의 참가비 {amount}원이 결제되어 참석이 확정되었습니다."),
        ),
        End::LackedMoney => (
            format!(
                "{amount} KRW for {title} could not be paid: there is too little in your wallet."
            ),
            format!(
                "지갑 잔액이 부족하여 '{title}' 일정의 참가비 {amount}원을 결제하지 못했습니다."
            ),
        ),
        End::Expired => (
            format!(
                "{amount} KRW for {title} was not paid in time; nothing was taken from your wallet."
            ),
            format!(
                "'{title}' 일정의 참가비 {amount}원이 제때 결제되지 않아 신청이 취소되었습니다. 지갑에서 빠져나간 금액은 없습니다."
            ),
        ),
        End::Refunded => (
            format!("{amount} KRW for {title} is back in your wallet."),
            format!("'{title}' 일정의 참가비 {amount}원이 지갑으로 환불되었습니다."),
        ),
    }
}

/// What is said of a review.
pub fn of_review(title: &str, nickname: &str, rating: i32) -> Both {
    (
        format!("{nickname} gave {title} {rating} of 5."),
        format!("{nickname}님이 '{title}' 일정에 별점 {rating}점 후기를 남겼습니다."),
    )
}

/// What is said of a start that is near.
pub fn of_start(meetup: &Meetup) -> Both {
    let (title, (when, korean)) = (&meetup.title, when(meetup));
    (format!("{title} starts {when}."), format!("'{title}' 일정이 {korean}에 시작합니다."))
}

/// The start as people there say it, in English and Korean.
fn when(meetup: &Meetup) -> Both {
    let (english, korean) = instant(meetup.starts_at, &meetup.time_zone);
    (format!("on {english}"), korean)
}

/// An instant as people of a zone say it; an unknown zone is shown as UTC.
fn instant(at: Timestamp, time_zone: &str) -> Both {
    let zone: Tz = time_zone.parse().unwrap_or(Tz::UTC);
    let at = DateTime::<Utc>::from_timestamp_micros(at.us()).unwrap_or_default();
    let at = at.with_timezone(&zone);
    let day = match at.weekday() {
        Weekday::Mon => "월",
        Weekday::Tue => "화",
        Weekday::Wed => "수",
        Weekday::Thu => "목",
        Weekday::Fri => "금",
        Weekday::Sat => "토",
        Weekday::Sun => "일",
    };
    let (month, date) = (at.month(), at.day());
    let (hour, minute) = (at.hour(), at.minute());
    (
        at.format("%a %-d %b at %H:%M").to_string(),
        format!("{month}월 {date}일({day}) {hour:02}:{minute:02}"),
    )
}

/// An amount with its thousands set apart.
fn krw(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    if amount < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn meetup() -> Meetup {
        Meetup {
            id: Uuid::now_v7(),
            title: "저녁 달리기".to_owned(),
            starts_at: Timestamp::from_us(1_773_482_400_000_000),
            time_zone: "Asia/Seoul".to_owned(),
        }
    }

    #[test]
    fn a_start_is_said_as_people_there_say_it() {
        let both = when(&meetup());
        assert_eq!(both.0, "on Sat 14 Mar at 19:00");
        assert_eq!(both.1, "3월 14일(토) 19:00");
        let nowhere = Meetup { time_zone: "Mars/Olympus".to_owned(), ..meetup() };
        assert_eq!(when(&nowhere).0, "on Sat 14 Mar at 10:00");
    }

    #[test]
    fn an_offer_says_until_when_it_stands_and_what_it_costs() {
        let until = Timestamp::from_us(1_773_468_000_000_000);
        let (english, korean) = of_seat(&meetup(), Some(Offer { until, fee_krw: 1_000_000 }));
        assert!(english.contains("until Sat 14 Mar at 15:00"), "{english}");
        assert!(english.contains("1,000,000 KRW"), "{english}");
        assert!(korean.contains("3월 14일(토) 15:00까지"), "{korean}");
        assert!(korean.contains("1,000,000원"), "{korean}");
    }

    #[test]
    fn thousands_are_set_apart() {
        for (amount, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_000, "12,000"),
            (-1_234_567, "-1,234,567"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(krw(amount), text);
        }
    }
}
