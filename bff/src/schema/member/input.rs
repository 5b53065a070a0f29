//! What clients send to change members and sessions.

use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};

use crate::schema::scalar::Url;

/// Exactly one way to name a member.
#[derive(OneofObject)]
pub enum MemberLookup {
    /// By global id.
    Id(ID),
    /// By unique nickname, upper and lower case alike.
    Nickname(String),
}

/// Input of authSignUp.
#[derive(InputObject)]
pub struct AuthSignUpInput {
    /// Address to log in with.
    pub email: String,
    /// 8 to 128 characters; kept only as a hash.
    pub password: String,
    /// 2 to 20 letters, digits or underscores; nobody else has it.
    pub nickname: String,
}

/// Input of authLogIn.
#[derive(InputObject)]
pub struct AuthLogInInput {
    /// Address to log in with.
    pub email: String,
    /// In the clear, as given at sign-up.
    pub password: String,
}

/// Input of authRefresh.
#[derive(InputObject)]
pub struct AuthRefreshInput {
    /// The newest one received.
    pub refresh_token: String,
}

/// Input of authLogOut.
#[derive(InputObject)]
pub struct AuthLogOutInput {
    /// True ends every session of the viewer, not only this one.
    #[graphql(default = false)]
    pub everywhere: bool,
}

/// Input of memberUpdate; absent fields stay, null clears.
#[derive(InputObject)]
pub struct MemberUpdateInput {
    /// 2 to 20 letters, digits or underscores; nobody else has it. Cannot be cleared.
    pub nickname: Option<String>,
    /// Picture.
    pub avatar_url: MaybeUndefined<Url>,
    /// What the member says about themself.
    pub bio: MaybeUndefined<String>,
}

/// Input of memberSetBlocked.
#[derive(InputObject)]
pub struct MemberSetBlockedInput {
    /// Whom to hide or show.
    pub member_id: ID,
    /// True hides, false shows again.
    pub blocked: bool,
}

/// As services want it: absent stays, empty clears.
pub fn clearable<T>(value: MaybeUndefined<T>, text: impl FnOnce(T) -> String) -> Option<String> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(String::new()),
        MaybeUndefined::Value(value) => Some(text(value)),
    }
}
