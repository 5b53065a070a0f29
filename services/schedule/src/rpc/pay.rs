//! Waiting for the payment of a held seat: briefly, and without holding anything.

use std::time::Duration;

use moim_kit::call::respond;
use moim_kit::id::OrderId;
use moim_kit::seen::Mark;
use moim_kit::{Call, Fault};
use moim_proto::schedule::v1 as proto;
use moim_proto::schedule::v1::AttendanceState;
use tokio::time::{Instant, timeout_at};
use tonic::Response;

use super::Server;
use crate::order::Seat;
use crate::{convert, events};

/// A seat may also be decided without a word of the payment, or in another process.
const POLL: Duration = Duration::from_millis(100);
/// Left of a call's time for its answer to travel.
const TRAVEL: Duration = Duration::from_millis(250);

impl Server {
    /// Answers how the order of a signing up ended, or, when that takes too long, that it is pending.
    pub(super) async fn await_payment(
        &self,
        call: &Call,
        answer: proto::AttendResponse,
        mut written: Vec<Mark>,
    ) -> Result<Response<proto::AttendResponse>, Fault> {
        let Some(order) = pending(&answer)? else { return Ok(respond(answer, written)) };
        let Some(seat) = self.await_seat(call, order).await? else {
            return Ok(respond(answer, written));
        };
        if let Some(fault) = seat.refusal() {
            return Err(fault);
        }
        let own = self
            .store
            .list_own(&self.reads.primary(), seat.member_id, vec![seat.schedule_id])
            .await?;
        let Some(shown) = own.get(&seat.schedule_id) else { return Ok(respond(answer, written)) };
        let now = self.clock.now();
        written.push(Mark::new(events::SEAT, order.uuid(), seat.version, now));
        let (id, version) = (shown.attendance.id.uuid(), shown.attendance.version);
        written.push(Mark::new(events::ATTENDANCE, id, version, now));
        let attendance = convert::attendance(shown, Some(seat.member_id));
        Ok(respond(proto::AttendResponse { attendance: Some(attendance) }, written))
    }

    /// The seat of an order once it is decided; nothing when that takes too long.
    async fn await_seat(&self, call: &Call, order: OrderId) -> Result<Option<Seat>, Fault> {
        let due = Instant::now() + self.pay_wait;
        let due = call.deadline().checked_sub(TRAVEL).map_or(due, |latest| latest.min(due));
        let mut arrivals = self.copies.arrivals();
        loop {
            // Before the look, so that what arrives during it is not slept through.
            arrivals.mark_unchanged();
            let seat = self.store.look_at_seat(order).await?;
            if let Some(seat) = seat.filter(Seat::is_decided) {
                return Ok(Some(seat));
            }
            if Instant::now() >= due {
                return Ok(None);
            }
            let _ = timeout_at(due.min(Instant::now() + POLL), arrivals.changed()).await;
        }
    }
}

/// The order that an answer leaves open.
fn pending(answer: &proto::AttendResponse) -> Result<Option<OrderId>, Fault> {
    let attendance = answer.attendance.as_ref();
    let open = attendance.filter(|of| of.state() == AttendanceState::PendingPayment);
    let order = open.and_then(|of| of.order_id.as_deref());
    order.map(|id| id.parse().map_err(Fault::internal)).transpose()
}
