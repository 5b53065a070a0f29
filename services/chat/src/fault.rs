//! Everything that can be refused in chat, in two languages.

moim_kit::faults! {
    MessageNotFound "CHAT_MESSAGE_NOT_FOUND": NotFound, "messageId",
        "There is no such message.", "메시지를 찾을 수 없습니다.";
    NotAMember "NOT_A_MEMBER": NotAMember, none,
        "Join the gathering first.", "먼저 모임에 가입해 주세요.";
    NotAllowed "NOT_ALLOWED": Forbidden, none,
        "Only its author, the host and managers may do this.",
        "작성자와 모임장, 운영진만 할 수 있습니다.";
    CardMissing "CARD_MISSING": Unavailable, none,
        "Your profile is still on its way here; try again.",
        "프로필 정보가 아직 전달되는 중입니다. 잠시 후 다시 시도해 주세요.";

    BodyEmpty "BODY_EMPTY": Invalid, "body",
        "Write something first.", "메시지를 입력해 주세요.";
    BodyTooLong "BODY_TOO_LONG": Invalid, "body",
        "A message has at most 2,000 characters.", "메시지는 2,000자까지 쓸 수 있어요.";
    BodyInvalid "BODY_INVALID": Invalid, "body",
        "A message has no characters that nobody can see.",
        "보이지 않는 문자는 메시지에 쓸 수 없습니다.";
    ClientIdInvalid "CLIENT_ID_INVALID": Invalid, "clientId",
        "A client id has 1 to 64 visible ASCII characters.",
        "클라이언트 아이디는 보이는 ASCII 문자 1자에서 64자까지입니다.";
    ClientIdReused "CLIENT_ID_REUSED": IdempotencyKeyReused, "clientId",
        "This client id was used for another message.",
        "이 클라이언트 아이디는 다른 메시지에 쓰였습니다.";

    CursorInvalid "CURSOR_INVALID": Invalid, "after",
        "This cursor is not of this chat.", "이 채팅의 커서가 아닙니다.";
    CursorExpired "CURSOR_EXPIRED": CursorExpired, "after",
        "Too much was said since then; start anew.",
        "그 뒤로 쌓인 메시지가 너무 많습니다. 처음부터 다시 불러와 주세요.";
    CursorNeedsOne "CURSOR_NEEDS_ONE": Invalid, "after",
        "A cursor goes with one list only.", "커서는 목록 하나를 조회할 때만 쓸 수 있습니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, none,
        "At most 200 ids at once.", "한 번에 200개까지 조회할 수 있습니다.";
}
