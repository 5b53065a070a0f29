//! Everything that can be refused about schedules, in two languages.

moim_kit::faults! {
    ScheduleNotFound "SCHEDULE_NOT_FOUND": NotFound, "scheduleId",
        "There is no such schedule.", "일정을 찾을 수 없습니다.";
    AttendanceNotFound "ATTENDANCE_NOT_FOUND": NotFound, "attendanceId",
        "There is no such attendance.", "참석 정보를 찾을 수 없습니다.";
    GatheringNotFound "GATHERING_NOT_FOUND": NotFound, "gatheringId",
        "There is no such gathering.", "모임을 찾을 수 없습니다.";
    NotAMember "NOT_A_MEMBER": NotAMember, none,
        "Join the gathering first.", "먼저 모임에 가입해 주세요.";
    NotAllowed "NOT_ALLOWED": Forbidden, none,
        "Only the host and managers may do this.", "모임장과 운영진만 할 수 있습니다.";
    CardMissing "CARD_MISSING": Unavailable, none,
        "Your profile is still on its way here; try again.",
        "프로필 정보가 아직 전달되는 중입니다. 잠시 후 다시 시도해 주세요.";
    IdempotencyKeyRequired "IDEMPOTENCY_KEY_REQUIRED": Invalid, none,
        "Send an idempotency key with this.", "이 요청에는 멱등 키가 필요합니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, none,
        "At most 200 ids at once.", "한 번에 200개까지 조회할 수 있습니다.";
    CursorNeedsOne "CURSOR_NEEDS_ONE": Invalid, "after",
        "A cursor goes with one list only.", "커서는 목록 하나를 조회할 때만 쓸 수 있습니다.";
    StateInvalid "STATE_INVALID": Invalid, "state",
        "This is not a state of an attendance.", "올바른 참석 상태가 아닙니다.";

    TitleInvalid "TITLE_INVALID": Invalid, "title",
        "A title has 2 to 60 characters on one line.", "제목은 한 줄로 2자에서 60자까지 쓸 수 있어요.";
    DescriptionInvalid "DESCRIPTION_INVALID": Invalid, "description",
        "A description has 1 to 2,000 characters.", "설명은 1자에서 2,000자까지 쓸 수 있어요.";
    PlaceInvalid "PLACE_INVALID": Invalid, "place",
        "A place has 1 to 100 characters on one line.", "장소는 한 줄로 1자에서 100자까지 쓸 수 있어요.";
    StartsInPast "STARTS_IN_PAST": Invalid, "startsAt",
        "It has to start in the future.", "시작 시각은 지금보다 뒤여야 합니다.";
    StartsTooFar "STARTS_TOO_FAR": Invalid, "startsAt",
        "It may start at most two years from now.", "시작 시각은 2년 안이어야 합니다.";
    EndsTooEarly "ENDS_TOO_EARLY": Invalid, "endsAt",
        "It has to end after it starts.", "종료 시각은 시작 시각보다 뒤여야 합니다.";
    EndsTooLate "ENDS_TOO_LATE": Invalid, "endsAt",
        "It may last at most 30 days.", "일정은 30일을 넘을 수 없습니다.";
    TimeZoneInvalid "TIME_ZONE_INVALID": Invalid, "timeZone",
        "This is not an IANA time zone such as Asia/Seoul.",
        "Asia/Seoul과 같은 IANA 시간대가 아닙니다.";
    CapacityInvalid "CAPACITY_INVALID": Invalid, "capacity",
        "A schedule has 1 to 1,000 seats.", "정원은 1명에서 1,000명까지입니다.";
    CapacityTooSmall "CAPACITY_TOO_SMALL": Invalid, "capacity",
        "More seats than that are taken or held.",
        "이미 참석하거나 결제 중인 인원보다 적게 줄일 수 없습니다.";
    FeeInvalid "FEE_INVALID": Invalid, "fee",
        "A fee is 0 to 1,000,000 won.", "참가비는 0원에서 1,000,000원까지입니다.";
    RefundInvalid "REFUND_INVALID": Invalid, "refundableUntil",
        "Refunds go with a fee, until the start at most.",
        "환불 기한은 참가비가 있을 때만, 시작 시각까지로 정할 수 있습니다.";
    FeeFixed "FEE_FIXED": WrongState, "fee",
        "Somebody has agreed to this fee already.",
        "이미 이 참가비에 동의한 분이 있어 바꿀 수 없습니다.";
    RefundFixed "REFUND_FIXED": WrongState, "refundableUntil",
        "Somebody has agreed to pay already; refunds can only be given longer.",
        "이미 결제에 동의한 분이 있어 환불 기한을 앞당길 수 없습니다.";
    ReasonInvalid "REASON_INVALID": Invalid, "reason",
        "A reason has 1 to 500 characters.", "사유는 1자에서 500자까지 쓸 수 있어요.";

    ScheduleFull "SCHEDULE_FULL": Full, none,
        "No seat is left.", "남은 자리가 없습니다.";
    ScheduleClosed "SCHEDULE_CLOSED": WrongState, none,
        "Sign-up is closed.", "참석 신청이 마감되었습니다.";
    ScheduleCancelled "SCHEDULE_CANCELLED": WrongState, none,
        "The schedule was cancelled.", "취소된 일정입니다.";
    ScheduleStarted "SCHEDULE_STARTED": WrongState, none,
        "It has already started.", "이미 시작된 일정입니다.";
    ScheduleEnded "SCHEDULE_ENDED": WrongState, none,
        "It is over.", "이미 끝난 일정입니다.";
    ScheduleNotStarted "SCHEDULE_NOT_STARTED": WrongState, none,
        "It has not started yet.", "아직 시작되지 않은 일정입니다.";
    RecordingOver "RECORDING_OVER": WrongState, none,
        "Attendance is recorded within 30 days after the end.",
        "출석은 일정이 끝난 뒤 30일까지만 기록할 수 있습니다.";
    AlreadyAttending "ALREADY_ATTENDING": AlreadyExists, none,
        "You are going or waiting already.", "이미 참석하거나 대기하고 있습니다.";
    NotAttending "NOT_ATTENDING": WrongState, none,
        "You are neither going nor waiting.", "참석하거나 대기하고 있지 않습니다.";
    NotGoing "NOT_GOING": WrongState, none,
        "This member had no seat.", "자리가 있던 회원이 아닙니다.";
    ScheduleOverlap "SCHEDULE_OVERLAP": Overlaps, none,
        "You go to another schedule at that time.", "같은 시간에 참석하는 다른 일정이 있습니다.";
    SeatContended "SEAT_CONTENDED": Conflict, none,
        "Others were signing up at the same moment; try again.",
        "동시에 신청한 분이 많습니다. 다시 시도해 주세요.";

    OfferExpired "OFFER_EXPIRED": WrongState, none,
        "The offered seat is no longer held for you.", "제안받은 자리의 수락 기한이 지났습니다.";
    InsufficientBalance "INSUFFICIENT_BALANCE": InsufficientBalance, none,
        "Your wallet holds too little.", "지갑 잔액이 부족합니다.";
    PaymentExpired "PAYMENT_EXPIRED": WrongState, none,
        "The payment did not come through in time.", "결제가 제시간에 완료되지 않았습니다.";
    SeatLost "SEAT_LOST": WrongState, none,
        "The seat was given up before it was paid.", "결제가 끝나기 전에 자리가 취소되었습니다.";

    CalendarKeyShort "CALENDAR_KEY_SHORT": Invalid, "calendar_key",
        "The calendar key needs 16 characters or more.", "캘린더 키는 16자 이상이어야 합니다.";
}
