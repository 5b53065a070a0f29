//! What kind of call a method is, by its name: whether it may be made twice, and whether it ends soon.

/// Kinds of calls that fail, wait and are repeated apart from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Changes nothing, so it may be made again and shared.
    Read,
    /// Changes something.
    Write,
    /// Goes on for as long as its reader likes.
    Stream,
}

/// Method names begin with one of these words when they only read.
const READS: [&str; 13] = [
    "BatchGet",
    "BatchList",
    "Check",
    "Count",
    "Digest",
    "Explain",
    "Get",
    "Lag",
    "List",
    "Read",
    "Resume",
    "Search",
    "Suggest",
];
const STREAMS: [&str; 2] = ["Follow", "Watch"];

impl Class {
    /// Of a path such as `/moim.member.v1.MemberService/BatchGet`; what is not known to read may write.
    pub(crate) fn of(path: &str) -> Self {
        let method = path.rsplit('/').next().unwrap_or_default();
        let begins = |word: &&'static str| {
            let rest = method.strip_prefix(*word);
            rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
        };
        if STREAMS.iter().any(begins) {
            Self::Stream
        } else if READS.iter().any(begins) {
            Self::Read
        } else {
            Self::Write
        }
    }

    /// As metrics and logs spell it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Stream => "stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_known_by_the_words_it_begins_with() {
        for (method, class) in [
            ("BatchGetMemberships", Class::Read),
            ("ListRegions", Class::Read),
            ("Get", Class::Read),
            ("Search", Class::Read),
            ("Follow", Class::Stream),
            ("Attend", Class::Write),
            ("Getaway", Class::Write),
            ("Listen", Class::Write),
            ("MarkRead", Class::Write),
            ("", Class::Write),
        ] {
            assert_eq!(Class::of(&format!("/moim.x.v1.XService/{method}")), class, "{method}");
        }
    }
}
