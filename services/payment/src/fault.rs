//! Everything that can be refused about money, in two languages.

moim_kit::faults! {
    IdempotencyKeyRequired "IDEMPOTENCY_KEY_REQUIRED": Invalid, none,
        "Send an idempotency key with this.", "이 요청에는 멱등 키가 필요합니다.";
    IdempotencyKeyReused "IDEMPOTENCY_KEY_REUSED": IdempotencyKeyReused, none,
        "This key was used with other input.", "이 멱등 키는 다른 입력에 쓰였습니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, none,
        "At most 200 ids at once.", "한 번에 200개까지 조회할 수 있습니다.";
    AmountInvalid "AMOUNT_INVALID": Invalid, "amount",
        "The amount is out of range.", "금액이 범위를 벗어났습니다.";
    WalletFull "WALLET_FULL": Invalid, "amount",
        "The wallet would hold more than is allowed.", "지갑 한도를 넘습니다.";
    PaymentKeyInvalid "PAYMENT_KEY_INVALID": Invalid, "paymentKey",
        "A payment key has at most 200 visible ASCII characters.",
        "결제 키는 보이는 ASCII 문자 200자까지입니다.";
    TooManyTopUps "TOO_MANY_TOP_UPS": RateLimited, none,
        "Too many payments are still under way; wait until they are decided.",
        "아직 처리 중인 결제가 너무 많습니다. 처리가 끝난 뒤 다시 시도해 주세요.";
    TopUpDeclined "TOP_UP_DECLINED": WrongState, none,
        "The payment was declined.", "결제가 거절되었습니다.";
    TopUpPending "TOP_UP_PENDING": Unavailable, none,
        "The payment is still under way; try again with the same key.",
        "결제가 아직 처리 중입니다. 같은 키로 다시 시도해 주세요.";
    ProviderUnavailable "PROVIDER_UNAVAILABLE": Unavailable, none,
        "The payment provider does not answer; try again.",
        "결제사가 응답하지 않습니다. 잠시 후 다시 시도해 주세요.";
    WebhookRefused "WEBHOOK_REFUSED": Forbidden, none,
        "This does not come from the payment provider.", "결제사가 보낸 요청이 아닙니다.";
}
