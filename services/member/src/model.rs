//! What a member is and what may be said of one; decides, and touches nothing.

use std::time::Duration;

use moim_kit::Timestamp;
use moim_kit::id::MemberId;
use moim_kit::text::prose;
use url::Url;

use crate::fault::Reason;

/// Most members asked for at once.
pub(crate) const MAX_IDS: usize = 200;

const MAX_EMAIL: usize = 254;
const MAX_LOCAL_PART: usize = 64;
const MAX_LABEL: usize = 63;
const MAX_AVATAR_URL: usize = 2_048;
const MAX_BIO: usize = 500;
const MAX_PASSWORD_BYTES: usize = 512;

/// A member and whether the one who looks hides them.
pub(crate) type Viewed = (Member, bool);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub id: MemberId,
    pub version: i64,
    pub email: String,
    pub nickname: String,
    pub avatar_url: Option<String>,
    pub bio: Option<String>,
    pub joined_at: Timestamp,
}

impl Member {
    pub fn new(email: Email, nickname: Nickname, now: Timestamp) -> Self {
        Self {
            id: MemberId::fresh(),
            version: 1,
            email: email.0,
            nickname: nickname.0,
            avatar_url: None,
            bio: None,
            joined_at: now,
        }
    }

    /// The next version, or nothing when the change changes nothing.
    pub fn changed(&self, change: Change) -> Option<Self> {
        let Change { nickname, avatar_url, bio } = change;
        let next = Self {
            nickname: nickname.map_or_else(|| self.nickname.clone(), |nickname| nickname.0),
            avatar_url: avatar_url.unwrap_or_else(|| self.avatar_url.clone()),
            bio: bio.unwrap_or_else(|| self.bio.clone()),
            ..self.clone()
        };
        (next != *self).then(|| Self { version: self.version + 1, ..next })
    }
}

/// A plausible e-mail address, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(Reason::EmailInvalid)?;
        let label = |label: &str| {
            (1..=MAX_LABEL).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // An atom as RFC 5322 has it; quoted local parts are not worth the trouble they make.
        let atom = |atom: &str| {
            !atom.is_empty()
                && atom.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
                })
        };
        let plausible = text.len() <= MAX_EMAIL
            && local.len() <= MAX_LOCAL_PART
            && local.split('.').all(atom)
            && domain.contains('.')
            && domain.split('.').all(label);
        if plausible { Ok(Self(text)) } else { Err(Reason::EmailInvalid) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that people are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nickname(String);

impl Nickname {
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let text = text.trim();
        let length = text.chars().count();
        if (2..=20).contains(&length) && text.chars().all(may_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Reason::NicknameInvalid)
        }
    }

    /// What makes it unique.
    pub fn key(&self) -> String {
        nickname_key(&self.0)
    }
}

/// Two nicknames with the same key are the same nickname.
pub(crate) fn nickname_key(nickname: &str) -> String {
    nickname.to_lowercase()
}

/// Hangul fillers count as letters and show as nothing; conjoining jamo spell the same syllables
/// in another way, so that two people could carry one name.
fn may_name(letter: char) -> bool {
    let conjoining_or_filler = matches!(letter,
        '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{D7B0}'..='\u{D7FF}'
        | '\u{3164}' | '\u{FFA0}');
    letter == '_' || (letter.is_alphanumeric() && !conjoining_or_filler)
}

/// Refuses passwords too short to keep anyone out or too long to be meant.
pub(crate) fn check_password(password: &str) -> Result<(), Reason> {
    let fits = password.len() <= MAX_PASSWORD_BYTES;
    if fits && (8..=128).contains(&password.chars().count()) {
        Ok(())
    } else {
        Err(Reason::PasswordInvalid)
    }
}

/// How many failed log-ins within which time are borne.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub failures: u32,
    pub window: Duration,
}

/// What a member wants changed: absent stays, `Some(None)` clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    nickname: Option<Nickname>,
    avatar_url: Option<Option<String>>,
    bio: Option<Option<String>>,
}

impl Change {
    pub fn parse(
        nickname: Option<&str>,
        avatar_url: Option<&str>,
        bio: Option<&str>,
    ) -> Result<Self, Reason> {
        Ok(Self {
            nickname: nickname.map(Nickname::parse).transpose()?,
            avatar_url: avatar_url.map(avatar).transpose()?,
            bio: bio.map(about).transpose()?,
        })
    }
}

fn avatar(text: &str) -> Result<Option<String>, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // The parser forgives what a page that shows the address might not, so it is asked last.
    let plain = text.starts_with("https://")
        && text.chars().count() <= MAX_AVATAR_URL
        && !text.chars().any(|letter| {
            letter.is_control() || letter.is_whitespace() || r#"\<>"'`"#.contains(letter)
        });
    let url = Url::parse(text).ok().filter(|_| plain).ok_or(Reason::AvatarUrlInvalid)?;
    let names_nobody = url.username().is_empty() && url.password().is_none();
    if names_nobody { Ok(Some(text.to_owned())) } else { Err(Reason::AvatarUrlInvalid) }
}

fn about(text: &str) -> Result<Option<String>, Reason> {
    let text = prose(text, 0..=MAX_BIO).ok_or(Reason::BioInvalid)?;
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_lowered() {
        assert_eq!(
            Email::parse(" Kim.Minji+a@Mail.Example \n").unwrap().0,
            "kim.minji+a@mail.example"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@{}.example", "a".repeat(64), "b.".repeat(100));
        for text in [
            "",
            "@",
            "a@b",
            "a b@c.kr",
            "a@b..kr",
            ".a@b.kr",
            "a.@b.kr",
            "a@-b.kr",
            "a@b.kr.",
            "a@@b.kr",
            "a\0@b.kr",
            "<a@b.kr>",
            "\u{212A}im@b.kr",
            &long,
        ] {
            assert_eq!(Email::parse(text), Err(Reason::EmailInvalid), "{text:?}");
        }
    }

    #[test]
    fn nicknames_are_letters_digits_and_underscores() {
        for text in ["민지", "Kim_99", "  둘리  ", "ㅋㅋ", &"가".repeat(20)] {
            assert!(Nickname::parse(text).is_ok(), "{text:?}");
        }
        for text in [
            "",
            "민",
            "민 지",
            "민지!",
            "a\tb",
            "\u{3164}\u{3164}",
            "\u{1112}\u{1161}\u{11AB}",
            "a\u{200B}b",
            "🙂🙂",
            &"가".repeat(21),
        ] {
            assert_eq!(Nickname::parse(text), Err(Reason::NicknameInvalid), "{text:?}");
        }
        assert_eq!(Nickname::parse("KiM").unwrap().key(), Nickname::parse("kIm").unwrap().key());
    }

    #[test]
    fn passwords_are_counted_in_characters() {
        assert!(check_password("여덟글자비밀번호").is_ok());
        assert!(check_password(&"a".repeat(128)).is_ok());
        for text in ["", "일곱글자비밀번", &"a".repeat(129), &"🙂".repeat(129)] {
            assert_eq!(check_password(text), Err(Reason::PasswordInvalid), "{text:?}");
        }
    }

    #[test]
    fn an_avatar_is_a_plain_https_address() {
        let good = "https://img.example/김/a.png?s=1";
        assert_eq!(avatar(good), Ok(Some(good.to_owned())));
        assert_eq!(avatar(" "), Ok(None));
        let long = format!("https://img.example/{}", "a".repeat(2_048));
        for text in [
            "http://a.kr/",
            "javascript:alert(1)",
            "https://",
            "https://u:p@a.kr/",
            "https:\\\\a.kr",
            "https://a.kr/\"onerror=",
            "https://a.kr/a b",
            "/a.png",
            &long,
        ] {
            assert_eq!(avatar(text), Err(Reason::AvatarUrlInvalid), "{text:?}");
        }
    }

    #[test]
    fn a_bio_may_have_lines_but_no_other_control_characters() {
        assert_eq!(about("안녕\r\n하세요 "), Ok(Some("안녕\n하세요".to_owned())));
        assert_eq!(about("\n"), Ok(None));
        assert!(about(&"가".repeat(500)).is_ok());
        for text in ["a\0b", "a\u{1b}[31m", &"가".repeat(501)] {
            assert_eq!(about(text), Err(Reason::BioInvalid), "{text:?}");
        }
    }

    #[test]
    fn a_change_that_changes_nothing_makes_no_version() {
        let now = Timestamp::from_us(1);
        let email = Email::parse("a@b.kr").unwrap();
        let member = Member::new(email, Nickname::parse("민지").unwrap(), now);
        assert_eq!(member.changed(Change::parse(Some("민지"), None, Some("")).unwrap()), None);
        let next = member.changed(Change::parse(None, None, Some("hi")).unwrap()).unwrap();
        assert_eq!((next.version, next.bio.as_deref()), (2, Some("hi")));
        let last = next.changed(Change::parse(None, None, Some("")).unwrap()).unwrap();
        assert_eq!((last.version, last.bio), (3, None));
    }
}
