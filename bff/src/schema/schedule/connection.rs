//! Pages of schedules and of attendances.

use super::types::{Attendance, Schedule};
use crate::schema::connection::connection;

connection! {
    ScheduleConnection "A page of schedules."
    ScheduleEdge "A schedule in a page."
    Schedule "The schedule itself."
}

connection! {
    AttendanceConnection "A page of attendances."
    AttendanceEdge "An attendance in a page."
    Attendance "The attendance itself."
}
