//! Everything about one schedule's places at one glance, for tests that compare it with a model.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use moim_kit::id::{OrderId, ScheduleId};
use moim_storage::{Arg, args};

use super::Store;
use super::rows::{AttendanceRow, SeatRow, all, attendance_columns, seat_columns};
use crate::attendance::Attendance;
use crate::order::Seat;

const ATTENDANCES: &str = concat!(
    "SELECT ",
    attendance_columns!(),
    " FROM attendance WHERE schedule_id = $1 ORDER BY ticket, id"
);
const SEATS: &str = concat!("SELECT ", seat_columns!(), " FROM seat WHERE schedule_id = $1");
const TOLD: &str = "
SELECT aggregate_id, version FROM outbox
WHERE noun = 'seat' AND aggregate_id IN ({ids}) ORDER BY aggregate_id, version";

impl Store {
    /// The attendances of a schedule in the order of arrival, and all its paid seats.
    pub async fn snapshot(&self, id: ScheduleId) -> (Vec<Attendance>, Vec<Seat>) {
        let db = self.outbox.db();
        let attendances = db.fetch_all::<AttendanceRow>(ATTENDANCES, args![id]).await.unwrap();
        let seats = db.fetch_all::<SeatRow>(SEATS, args![id]).await.unwrap();
        (all(attendances).unwrap(), all(seats).unwrap())
    }

    /// The versions told of seats, by order.
    pub async fn told_of_seats(&self, orders: Vec<OrderId>) -> Vec<(String, i64)> {
        let list = orders.into_iter().map(Arg::from).collect();
        self.outbox.db().fetch_in(TOLD, vec![], list).await.unwrap()
    }
}
