//! The gRPC contracts, one module per package, as generated from the `.proto` files beside this crate.
#![allow(missing_docs, clippy::unwrap_used, unused_qualifications, reason = "generated code")]

/// Every contract as protobuf describes it, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("descriptors");

/// Every call there is, as `/package.Service/Method`.
pub const METHODS: &[&str] = include!(concat!(env!("OUT_DIR"), "/methods.rs"));

/// Pages of lists.
pub mod page {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.page.v1");
    }
}

/// People, accounts and sessions.
pub mod member {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.member.v1");
    }
}

/// Gatherings and memberships.
pub mod gathering {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.gathering.v1");
    }
}

/// Schedules and attendances.
pub mod schedule {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.schedule.v1");
    }
}

/// What members of a gathering say to each other.
pub mod chat {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.chat.v1");
    }
}

/// What attendees thought of schedules.
pub mod review {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.review.v1");
    }
}

/// Wallets and orders.
pub mod payment {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.payment.v1");
    }
}

/// What members should know.
pub mod notification {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.notification.v1");
    }
}

/// What people look for.
pub mod search {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.search.v1");
    }
}

/// Facts and the logs they are read from.
pub mod fact {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("moim.fact.v1");
    }
}
