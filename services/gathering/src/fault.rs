//! Every expected failure of this room, with its words for people.

moim_kit::faults! {
    GatheringNotFound "GATHERING_NOT_FOUND": NotFound, "gatheringId",
        "There is no such gathering.", "모임을 찾을 수 없습니다.";
    MembershipNotFound "MEMBERSHIP_NOT_FOUND": NotFound, "membershipId",
        "There is no such membership.", "해당 멤버를 찾을 수 없습니다.";
    NotAllowed "NOT_ALLOWED": Forbidden, none,
        "Your role in this gathering does not allow that.", "이 모임에서 그 일을 할 권한이 없습니다.";

    TitleInvalid "TITLE_INVALID": Invalid, "title",
        "A title has 2 to 60 characters on one line.", "모임 이름은 한 줄로 2자에서 60자까지 쓸 수 있습니다.";
    DescriptionInvalid "DESCRIPTION_INVALID": Invalid, "description",
        "A description has 1 to 2,000 characters.", "모임 소개는 1자에서 2,000자까지 쓸 수 있습니다.";
    CategoryInvalid "CATEGORY_INVALID": Invalid, "category",
        "Choose one of the categories.", "카테고리를 골라 주세요.";
    RegionUnknown "REGION_UNKNOWN": Invalid, "regionId",
        "There is no such region.", "없는 지역입니다. 목록에서 골라 주세요.";
    CapacityInvalid "CAPACITY_INVALID": Invalid, "capacity",
        "A gathering takes 2 to 1,000 members.", "정원은 2명에서 1,000명까지 정할 수 있습니다.";
    CapacityTooSmall "CAPACITY_TOO_SMALL": Invalid, "capacity",
        "There are more members than that already.", "정원을 현재 멤버 수보다 적게 줄일 수 없습니다.";
    JoinPolicyInvalid "JOIN_POLICY_INVALID": Invalid, "joinPolicy",
        "Choose how people get in.", "가입 방식을 골라 주세요.";
    ImageUrlInvalid "IMAGE_URL_INVALID": Invalid, "imageUrl",
        "An image is an https address of at most 2,048 characters.",
        "이미지는 2,048자 이하의 https 주소여야 합니다.";
    MessageInvalid "MESSAGE_INVALID": Invalid, "message",
        "A message has at most 500 characters.", "가입 인사는 500자까지 쓸 수 있습니다.";
    RoleInvalid "ROLE_INVALID": Invalid, "role",
        "Choose one of the roles.", "역할을 골라 주세요.";
    StatusInvalid "STATUS_INVALID": Invalid, "status",
        "There is no such status.", "없는 상태입니다.";
    SortInvalid "SORT_INVALID": Invalid, "sort",
        "There is no such order.", "없는 정렬 방식입니다.";
    TooManyIds "TOO_MANY_IDS": Invalid, "ids",
        "Ask for at most 200 at once.", "한 번에 200개까지 조회할 수 있습니다.";
    CursorNeedsOne "CURSOR_NEEDS_ONE": Invalid, "after",
        "A cursor goes with one gathering only.", "커서는 모임 하나를 조회할 때만 쓸 수 있습니다.";

    GatheringFull "GATHERING_FULL": Full, none,
        "This gathering is full.", "정원이 가득 찼습니다.";
    GatheringClosed "GATHERING_CLOSED": WrongState, none,
        "This gathering takes no new members.", "지금은 새 멤버를 받지 않는 모임입니다.";
    MemberBanned "MEMBER_BANNED": Banned, none,
        "You cannot join this gathering any more.", "이 모임에는 다시 가입할 수 없습니다.";
    AlreadyJoined "ALREADY_JOINED": AlreadyExists, none,
        "You are in this gathering already.", "이미 가입한 모임입니다.";
    AlreadyRequested "ALREADY_REQUESTED": AlreadyExists, none,
        "You have asked to join already.", "이미 가입을 신청했습니다. 승인을 기다려 주세요.";
    NotAMember "NOT_A_MEMBER": NotAMember, none,
        "You are not in this gathering.", "가입한 모임이 아닙니다.";
    HostStays "HOST_STAYS": WrongState, none,
        "A host hands the gathering over first.", "먼저 다른 멤버에게 모임장을 넘겨주세요.";
    HostedLimit "HOSTED_LIMIT": WrongState, none,
        "Nobody hosts more gatherings than that.", "한 사람이 운영할 수 있는 모임 수를 넘었습니다.";
    NotPending "NOT_PENDING": WrongState, none,
        "This request is not waiting for a decision.", "승인을 기다리는 신청이 아닙니다.";
    NotActive "NOT_ACTIVE": WrongState, none,
        "Only members who are in have a role.", "활동 중인 멤버의 역할만 바꿀 수 있습니다.";
    AlreadyOut "ALREADY_OUT": WrongState, none,
        "This member is out already.", "이미 모임에 없는 멤버입니다.";
    CardMissing "CARD_MISSING": Unavailable, none,
        "Your profile is still on its way; try again.",
        "회원 정보가 아직 전달되는 중입니다. 잠시 후 다시 시도해 주세요.";
}

#[cfg(test)]
mod tests {
    use moim_kit::Fault;

    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own_and_words_in_both_languages() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let fault = Fault::from(*reason);
            assert!(fault.message(true).chars().any(|letter| ('가'..='힣').contains(&letter)));
            assert!(fault.message(false).is_ascii(), "{}", reason.name());
        }
    }

    #[test]
    fn only_a_missing_card_is_worth_another_try() {
        let retryable: Vec<_> = Reason::ALL
            .iter()
            .filter(|reason| Fault::from(**reason).code().is_retryable())
            .map(|reason| reason.name())
            .collect();
        assert_eq!(retryable, ["CARD_MISSING"]);
    }
}
