//! What each gRPC code says about the room that answered it: the one table of failures.

use tonic::{Code, Status};

use crate::fault::is_told;

/// What an answer means for the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The room is in order, whatever it thinks of the request.
    Answer,
    /// The room is not in order.
    Failure,
    /// Says nothing of the room.
    Ignored,
}

/// Of each code: what it means, and whether the same call may go better at once.
const TABLE: [(Code, Verdict, bool); 17] = [
    (Code::Ok, Verdict::Answer, false),
    // Our own caller left.
    (Code::Cancelled, Verdict::Ignored, false),
    (Code::Unknown, Verdict::Failure, false),
    (Code::InvalidArgument, Verdict::Answer, false),
    // Not again: the time that is left would not do either.
    (Code::DeadlineExceeded, Verdict::Failure, false),
    (Code::NotFound, Verdict::Answer, false),
    (Code::AlreadyExists, Verdict::Answer, false),
    (Code::PermissionDenied, Verdict::Answer, false),
    // Overload; a limit on whoever asks is told with a reason.
    (Code::ResourceExhausted, Verdict::Failure, false),
    // Sold out.
    (Code::FailedPrecondition, Verdict::Answer, false),
    (Code::Aborted, Verdict::Answer, false),
    (Code::OutOfRange, Verdict::Answer, false),
    (Code::Unimplemented, Verdict::Answer, false),
    (Code::Internal, Verdict::Failure, false),
    (Code::Unavailable, Verdict::Failure, true),
    (Code::DataLoss, Verdict::Failure, false),
    (Code::Unauthenticated, Verdict::Answer, false),
];

/// What an answer that is not OK means, and whether to try again. A room that gives a reason of its own
/// (a copy that is behind, too many log-ins) answers, though by the same code as one that is gone.
pub(super) fn of(status: &Status) -> (Verdict, bool) {
    let row = TABLE.iter().find(|(code, ..)| *code == status.code());
    let (verdict, again) = row.map_or((Verdict::Failure, false), |row| (row.1, row.2));
    let may_be_told = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    if may_be_told && is_told(status) { (Verdict::Answer, false) } else { (verdict, again) }
}

/// True when the code is a sign that the room has more to do than it can.
pub(super) fn is_overload(code: Code) -> bool {
    matches!(code, Code::DeadlineExceeded | Code::ResourceExhausted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{self, Fault};

    #[test]
    fn every_code_has_its_one_row() {
        for number in 0..17 {
            let code = Code::from_i32(number);
            assert_eq!(TABLE.iter().filter(|row| row.0 == code).count(), 1, "{code:?}");
        }
    }

    #[test]
    fn what_people_cannot_do_is_no_failure_of_the_room() {
        for code in [Code::FailedPrecondition, Code::NotFound, Code::Unauthenticated] {
            assert_eq!(of(&Status::new(code, "")), (Verdict::Answer, false));
        }
        assert_eq!(of(&Status::cancelled("left")), (Verdict::Ignored, false));
        assert_eq!(of(&Status::unavailable("gone")), (Verdict::Failure, true));
        assert_eq!(of(&Status::deadline_exceeded("late")), (Verdict::Failure, false));
    }

    #[test]
    fn a_reason_that_a_room_gives_is_an_answer_and_a_room_without_its_database_fails() {
        let limited = Fault::new(fault::Code::RateLimited, "LOG_IN_LIMITED", "Later.");
        assert_eq!(of(&limited.into()), (Verdict::Answer, false));
        let behind = Fault::new(fault::Code::Unavailable, "COPY_BEHIND", "Not yet.");
        assert_eq!(of(&behind.into()), (Verdict::Answer, false));
        let lost = Fault::unavailable("DATABASE_UNAVAILABLE", "refused");
        assert_eq!(of(&lost.into()), (Verdict::Failure, true));
        assert_eq!(of(&Status::resource_exhausted("h2")).0, Verdict::Failure);
    }
}
