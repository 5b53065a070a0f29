//! Offered seats and orders: whom they are told to, in which words, and that they are no seat yet.

use moim_kit::id::MemberId;
use moim_proto::notification::v1::{Notification, NotificationKind};
use moim_proto::payment::v1::{OrderEvent, OrderFact, OrderFailure, OrderState};
use moim_proto::schedule::v1::{AttendanceEvent, AttendanceMove};
use moim_testbed::on_both_databases;
use uuid::Uuid;

use crate::stage::Stage;

fn freed(how: AttendanceMove, member: MemberId, actor: &str) -> AttendanceEvent {
    AttendanceEvent {
        attendance_id: Uuid::now_v7().to_string(),
        schedule_id: Uuid::now_v7().to_string(),
        schedule_title: "저녁 달리기".to_owned(),
        starts_at_us: 1_773_482_400_000_000,
        time_zone: "Asia/Seoul".to_owned(),
        member_id: member.to_string(),
        actor_id: actor.to_owned(),
        r#move: how.into(),
        hold_expires_at_us: (how == AttendanceMove::Offered).then_some(1_773_468_000_000_000),
        fee_krw: 12_000,
    }
}

impl Stage {
    /// Tells how an order came out, with its state as a payment room does; answers its id.
    fn order(&self, member: MemberId, state: OrderState, failure: OrderFailure) -> Uuid {
        let id = Uuid::now_v7();
        let fact = OrderFact { id: id.to_string(), ..OrderFact::default() };
        let event = OrderEvent {
            order_id: id.to_string(),
            schedule_id: Uuid::now_v7().to_string(),
            schedule_title: "저녁 달리기".to_owned(),
            member_id: member.to_string(),
            amount_krw: 12_000,
            state: state.into(),
            failure: failure.into(),
        };
        self.payments.push("order", id, 3, &fact);
        self.payments.push_event("order", id, 3, &event);
        self.payments.push_event("order", id, 3, &event);
        id
    }
}

fn about(one: &Notification) -> (String, String) {
    let subject = one.subject.clone().unwrap();
    (subject.noun, subject.id)
}

on_both_databases! {
    async fn an_offer_is_told_with_its_end_and_its_price_and_a_granted_seat_as_before(bed: Bed) {
        let stage = Stage::set(bed).await;
        let [member, actor] = [MemberId::fresh(), MemberId::fresh()];
        let offered = freed(AttendanceMove::Offered, member, "");
        stage.tell_seat(&offered);
        let heard = stage.heard(member, 1).await.remove(0);
        assert_eq!(heard.kind(), NotificationKind::SeatOffered);
        assert_eq!(about(&heard), ("schedule".to_owned(), offered.schedule_id.clone()));
        assert_eq!(heard.text, "A seat at 저녁 달리기, on Sat 14 Mar at 19:00, is held for you until \
            Sat 14 Mar at 15:00. Accept it for 12,000 KRW.");
        assert_eq!(heard.korean_text, "'저녁 달리기' 일정에 자리가 났습니다. 3월 14일(토) 15:00까지 \
            참가비 12,000원으로 참석을 수락하실 수 있습니다.");

        for how in [AttendanceMove::Granted, AttendanceMove::Unspecified] {
            stage.tell_seat(&freed(how, member, &actor.to_string()));
        }
        // Whoever freed it for themselves is told nothing.
        stage.tell_seat(&freed(AttendanceMove::Offered, member, &member.to_string()));
        stage.tell_seat(&freed(AttendanceMove::Granted, actor, ""));
        stage.heard(actor, 1).await;
        for granted in &stage.heard(member, 3).await[..2] {
            assert_eq!(granted.kind(), NotificationKind::SeatGranted);
        }
    }

    async fn an_order_is_told_once_it_was_paid_refunded_or_given_up(bed: Bed) {
        let stage = Stage::set(bed).await;
        let member = MemberId::fresh();
        use OrderFailure::{Expired, InsufficientBalance, SeatLost, Unspecified};
        let ends = [
            (OrderState::Confirmed, Unspecified, "결제되어 참석이 확정되었습니다", "your seat is confirmed"),
            (OrderState::Released, InsufficientBalance, "지갑 잔액이 부족하여", "too little in your wallet"),
            (OrderState::Released, Expired, "제때 결제되지 않아", "not paid in time"),
            (OrderState::Refunded, Unspecified, "지갑으로 환불되었습니다", "back in your wallet"),
        ];
        for state in [OrderState::Pending, OrderState::SeatHeld, OrderState::MoneyHeld, OrderState::Refunding] {
            stage.order(member, state, Unspecified);
        }
        stage.order(member, OrderState::Released, SeatLost);
        let orders = ends.map(|(state, failure, ..)| stage.order(member, state, failure));
        let last = MemberId::fresh();
        stage.order(last, OrderState::Confirmed, Unspecified);
        stage.heard(last, 1).await;
        let mut heard = stage.heard(member, ends.len()).await;
        heard.reverse();
        for ((one, order), (.., korean, english)) in heard.iter().zip(orders).zip(ends) {
            assert_eq!(one.kind(), NotificationKind::OrderChanged);
            assert_eq!(about(one), ("order".to_owned(), order.to_string()));
            assert!(one.text.contains(english) && one.text.contains("12,000 KRW"), "{}", one.text);
            let text = &one.korean_text;
            assert!(text.contains(korean) && text.contains("12,000원"), "{text}");
        }
        assert_eq!(stage.told(ends.len() + 1).await.len(), ends.len() + 1);
    }
}
