//! Enums that clients and services spell differently but mean alike.

/// Ties an enum of the schema to the one of the service, value by value.
macro_rules! same {
    ($proto:ident: $($mine:ident = $theirs:ident { $($value:ident)* })*) => {
        $(
            impl From<$mine> for $proto::$theirs {
                fn from(value: $mine) -> Self {
                    match value { $($mine::$value => Self::$value,)* }
                }
            }

            impl $mine {
                /// As messages carry it.
                pub fn into_proto(self) -> i32 {
                    $proto::$theirs::from(self).into()
                }
            }

            impl TryFrom<i32> for $mine {
                type Error = moim_kit::Fault;

                fn try_from(value: i32) -> Result<Self, moim_kit::Fault> {
                    match $proto::$theirs::try_from(value) {
                        $(Ok($proto::$theirs::$value) => Ok(Self::$value),)*
                        _ => Err(moim_kit::Fault::internal(concat!(stringify!($theirs), " is unknown"))),
                    }
                }
            }
        )*
    };
}

pub(crate) use same;
