//! Everything that can be refused about notifications, in two languages.

moim_kit::faults! {
    NotificationNotFound "NOTIFICATION_NOT_FOUND": NotFound, "upToId",
        "There is no such notification.", "알림을 찾을 수 없습니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, none,
        "At most 200 ids at once.", "한 번에 200개까지 조회할 수 있습니다.";
    CursorInvalid "CURSOR_INVALID": Invalid, "after",
        "This cursor is not of this list.", "이 목록의 커서가 아닙니다.";
    CursorExpired "CURSOR_EXPIRED": CursorExpired, "after",
        "What followed this cursor is no longer kept; read the list again.",
        "이 커서 다음의 알림은 보관 기간이 지났습니다. 목록을 다시 조회해 주세요.";
}
