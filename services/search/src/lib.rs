//! Finding gatherings, schedules and members by what people mean.

mod analysis;
mod fault;
mod highlight;
mod index;
mod korean;
mod layout;
mod model;
mod normal;
mod query;
mod ranking;
mod schema;
mod search;
mod synonyms;
mod terms;
mod vocabulary;

pub use analysis::Analyzer;
pub use fault::Reason;
pub use index::{Broken, Opened, Shelf, begin, open, swap};
pub use model::{Document, Filter, Highlight, Hit, Kind, Openness};
pub use search::{Answer, Ask, RESULTS, Search};
