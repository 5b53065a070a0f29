//! What this room refuses, in the words people read.

moim_kit::faults! {
    EmailInvalid "EMAIL_INVALID": Invalid, "email",
        "This is not an e-mail address.",
        "이메일 주소 형식이 올바르지 않습니다.";
    EmailTaken "EMAIL_TAKEN": AlreadyExists, "email",
        "There is an account with this e-mail address already.",
        "이미 가입된 이메일 주소입니다.";
    PasswordInvalid "PASSWORD_INVALID": Invalid, "password",
        "A password has 8 to 128 characters.",
        "비밀번호는 8자 이상 128자 이하로 입력해 주세요.";
    NicknameInvalid "NICKNAME_INVALID": Invalid, "nickname",
        "A nickname has 2 to 20 letters, digits or underscores.",
        "닉네임은 글자, 숫자, 밑줄(_)로 2자 이상 20자 이하여야 합니다.";
    NicknameTaken "NICKNAME_TAKEN": AlreadyExists, "nickname",
        "Someone has this nickname already.",
        "이미 사용 중인 닉네임입니다.";
    AvatarUrlInvalid "AVATAR_URL_INVALID": Invalid, "avatarUrl",
        "An avatar is an https address of at most 2048 characters.",
        "프로필 이미지는 2048자 이하의 https 주소여야 합니다.";
    BioInvalid "BIO_INVALID": Invalid, "bio",
        "A bio is plain text of at most 500 characters.",
        "소개는 500자 이하의 글로 입력해 주세요.";
    BadCredentials "BAD_CREDENTIALS": BadCredentials, none,
        "The e-mail address or the password is wrong.",
        "이메일 주소 또는 비밀번호가 올바르지 않습니다.";
    LogInLimited "LOG_IN_LIMITED": RateLimited, none,
        "Too many failed log-ins; try again later.",
        "로그인에 여러 번 실패했습니다. 잠시 후 다시 시도해 주세요.";
    HashingBusy "HASHING_BUSY": Unavailable, none,
        "Too many people are signing in at once; try again.",
        "지금은 로그인 요청이 많습니다. 잠시 후 다시 시도해 주세요.";
    SessionRevoked "SESSION_REVOKED": SessionRevoked, none,
        "This session has ended; log in again.",
        "세션이 종료되었습니다. 다시 로그인해 주세요.";
    MemberNotFound "MEMBER_NOT_FOUND": NotFound, none,
        "There is no such member.",
        "해당 회원을 찾을 수 없습니다.";
    BlockedSelf "BLOCKED_SELF": Invalid, "memberId",
        "You cannot block yourself.",
        "자기 자신은 차단할 수 없습니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, "ids",
        "At most 200 members at once.",
        "회원은 한 번에 200명까지 조회할 수 있습니다.";
}
