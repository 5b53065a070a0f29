//! From what this room knows to what it answers.

use moim_kit::Timestamp;
use moim_kit::id::SessionId;
use moim_kit::token::PublicKey;
use moim_proto::member::v1 as proto;

use crate::model::{Member, Viewed};

/// A member as somebody sees them.
pub(crate) fn member((member, viewer_has_blocked): Viewed) -> proto::Member {
    proto::Member {
        id: member.id.to_string(),
        nickname: member.nickname,
        avatar_url: member.avatar_url,
        bio: member.bio,
        joined_at_us: member.joined_at.us(),
        viewer_has_blocked,
    }
}

/// A member as they see themselves.
pub(crate) fn own(member: Member) -> proto::Member {
    self::member((member, false))
}

pub(crate) fn account(member: Member) -> proto::Account {
    let email = member.email.clone();
    proto::Account { member: Some(own(member)), email }
}

/// What everybody is told of a member.
pub(crate) fn state(member: &Member) -> proto::MemberState {
    proto::MemberState {
        id: member.id.to_string(),
        nickname: member.nickname.clone(),
        avatar_url: member.avatar_url.clone(),
        bio: member.bio.clone(),
        joined_at_us: member.joined_at.us(),
    }
}

pub(crate) fn signing_key(key: PublicKey) -> proto::SigningKey {
    proto::SigningKey { kid: key.kid, public_key: key.bytes.into() }
}

pub(crate) fn revocation(session: SessionId, expires_at: Timestamp) -> proto::Revocation {
    proto::Revocation { session_id: session.to_string(), expires_at_us: expires_at.us() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Email, Nickname};

    #[test]
    fn what_everybody_sees_names_no_address() {
        let email = Email::parse("minji@moim.example").unwrap();
        let now = Timestamp::from_us(7);
        let member = Member::new(email, Nickname::parse("민지").unwrap(), now);
        for seen in [format!("{:?}", own(member.clone())), format!("{:?}", state(&member))] {
            assert!(seen.contains("민지") && !seen.contains("minji"), "{seen}");
        }
        assert_eq!(account(member).email, "minji@moim.example");
    }
}
