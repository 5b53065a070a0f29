//! Values bound to a statement, in the few types both databases share.

use moim_kit::id::Noun;
use moim_kit::{Id, Timestamp};
use uuid::Uuid;

/// One value; `None` keeps its type, for PostgreSQL wants to know it.
#[derive(Clone, Debug)]
pub enum Arg {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// BYTEA or BLOB.
    Bytes(Vec<u8>),
}

macro_rules! from {
    ($($source:ty => |$value:ident| $arg:expr;)*) => {
        $(impl From<$source> for Arg {
            fn from($value: $source) -> Self { $arg }
        })*
    };
}

from! {
    &str => |value| Self::Text(Some(value.to_owned()));
    String => |value| Self::Text(Some(value));
    &String => |value| Self::Text(Some(value.clone()));
    Option<String> => |value| Self::Text(value);
    Option<&str> => |value| Self::Text(value.map(str::to_owned));
    i64 => |value| Self::Int(Some(value));
    i32 => |value| Self::Int(Some(value.into()));
    Option<i64> => |value| Self::Int(value);
    Option<i32> => |value| Self::Int(value.map(Into::into));
    bool => |value| Self::Bool(Some(value));
    Option<bool> => |value| Self::Bool(value);
    Vec<u8> => |value| Self::Bytes(value);
    Uuid => |value| Self::Text(Some(value.to_string()));
    Option<Uuid> => |value| Self::Text(value.map(|id| id.to_string()));
    Timestamp => |value| Self::Int(Some(value.us()));
    Option<Timestamp> => |value| Self::Int(value.map(Timestamp::us));
}

impl<N: Noun> From<Id<N>> for Arg {
    fn from(id: Id<N>) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl<N: Noun> From<Option<Id<N>>> for Arg {
    fn from(id: Option<Id<N>>) -> Self {
        Self::Text(id.map(|id| id.to_string()))
    }
}

/// Lists the values of a statement: `args![id, 5, title]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::Arg::from($value)),*] };
}
