//! Everything that can be refused about reviews, in two languages.

moim_kit::faults! {
    ReviewNotFound "REVIEW_NOT_FOUND": NotFound, "reviewId",
        "There is no such review.", "후기를 찾을 수 없습니다.";
    ScheduleNotFound "SCHEDULE_NOT_FOUND": NotFound, "scheduleId",
        "There is no such schedule.", "일정을 찾을 수 없습니다.";
    NotAllowed "NOT_ALLOWED": Forbidden, none,
        "Only its author may do this.", "작성자만 할 수 있습니다.";
    ScheduleNotEnded "SCHEDULE_NOT_ENDED": WrongState, none,
        "It is not over yet.", "아직 끝나지 않은 일정입니다.";
    NotAttended "NOT_ATTENDED": WrongState, none,
        "Only who was there may review it.", "참석한 일정에만 후기를 쓸 수 있습니다.";
    RatingInvalid "RATING_INVALID": Invalid, "rating",
        "A rating is 1 to 5.", "별점은 1점에서 5점까지입니다.";
    BodyInvalid "BODY_INVALID": Invalid, "body",
        "A review has 1 to 2,000 characters.", "후기는 1자에서 2,000자까지 쓸 수 있어요.";
    CopyBehind "COPY_BEHIND": Unavailable, none,
        "What this needs is still on its way here; try again.",
        "필요한 정보가 아직 전달되는 중입니다. 잠시 후 다시 시도해 주세요.";
    CursorNeedsOne "CURSOR_NEEDS_ONE": Invalid, "after",
        "A cursor goes with one list only.", "커서는 목록 하나를 조회할 때만 쓸 수 있습니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, none,
        "At most 200 ids at once.", "한 번에 200개까지 조회할 수 있습니다.";
}
