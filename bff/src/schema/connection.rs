//! Connections (Relay Cursor Connections): pages, edges and what is asked of them.

use async_graphql::SimpleObject;
use moim_proto::page::v1::{Page, PageRequest};

/// Position of a page within a connection.
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// True when more follows this page.
    has_next_page: bool,
    /// True when something precedes this page.
    has_previous_page: bool,
    /// Cursor of the first edge; null when the page is empty.
    start_cursor: Option<String>,
    /// Cursor of the last edge; null when the page is empty.
    end_cursor: Option<String>,
}

impl PageInfo {
    /// From what a service says of a page.
    pub fn new(page: &Page) -> Self {
        Self {
            has_next_page: page.has_next_page,
            has_previous_page: page.has_previous_page,
            start_cursor: page.cursors.first().cloned(),
            end_cursor: page.cursors.last().cloned(),
        }
    }
}

/// The four arguments of every connection, as a service takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PageArgs {
    /// Page size from the start.
    pub first: Option<i32>,
    /// Only what comes after this cursor.
    pub after: Option<String>,
    /// Page size from the end.
    pub last: Option<i32>,
    /// Only what comes before this cursor.
    pub before: Option<String>,
}

impl From<PageArgs> for PageRequest {
    fn from(args: PageArgs) -> Self {
        Self { first: args.first, after: args.after, last: args.last, before: args.before }
    }
}

/// Declares a connection and its edge over a node type.
macro_rules! connection {
    (
        $connection:ident $connection_doc:literal
        $edge:ident $edge_doc:literal
        $node:ident $node_doc:literal
    ) => {
        #[doc = $connection_doc]
        #[derive(async_graphql::SimpleObject, Clone, Debug)]
        pub struct $connection {
            /// What the page holds, in order.
            edges: Vec<$edge>,
            /// Where the page stands.
            page_info: $crate::schema::connection::PageInfo,
        }

        #[doc = $edge_doc]
        #[derive(async_graphql::SimpleObject, Clone, Debug)]
        pub struct $edge {
            /// Position of this edge, opaque.
            cursor: String,
            #[doc = $node_doc]
            node: $node,
        }

        impl $edge {
            /// A node at its place.
            #[allow(dead_code, reason = "edges outside of pages are made for some nodes only")]
            pub const fn new(cursor: String, node: $node) -> Self {
                Self { cursor, node }
            }
        }

        impl $connection {
            /// From a service's rows and what it says of the page; a row that cannot be shown is a defect.
            pub fn try_new<T>(
                rows: Vec<T>,
                page: Option<moim_proto::page::v1::Page>,
            ) -> Result<Self, moim_kit::Fault>
            where
                $node: TryFrom<T, Error = moim_kit::Fault>,
            {
                let page = page.unwrap_or_default();
                let page_info = $crate::schema::connection::PageInfo::new(&page);
                let edges = rows
                    .into_iter()
                    .zip(page.cursors)
                    .map(|(row, cursor)| Ok($edge { cursor, node: row.try_into()? }))
                    .collect::<Result<_, moim_kit::Fault>>()?;
                Ok(Self { edges, page_info })
            }
        }
    };
}

pub(crate) use connection;
