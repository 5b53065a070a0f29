//! What is searched by: terms and runs of letters, and how they go together.

use std::fmt::Write as _;

use crate::tokens::Stream;

/// What is to be found.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A term of a stream, in any part of a document.
    Term { stream: Stream, text: String, boost: f32 },
    /// Letters in a row within a word, or at its beginning.
    Run { letters: String, begins: bool, boost: f32 },
    /// The best of several.
    Best(Vec<Node>),
    /// All of some, and better with the others.
    All { must: Vec<Node>, should: Vec<Node>, boost: f32 },
    /// So many of them.
    Some { of: Vec<Node>, at_least: usize },
}

impl Node {
    /// Every term and run in it.
    pub fn leaves<'a>(&'a self, out: &mut Vec<&'a Self>) {
        match self {
            Self::Term { .. } | Self::Run { .. } => out.push(self),
            Self::Best(all) | Self::Some { of: all, .. } => {
                all.iter().for_each(|it| it.leaves(out));
            }
            Self::All { must, should, .. } => {
                must.iter().chain(should).for_each(|it| it.leaves(out));
            }
        }
    }

    /// Writes it with what is in it below, indented.
    pub fn write(&self, out: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        let _ = match self {
            Self::Term { stream, text, boost } => {
                writeln!(out, "{indent}{stream:?} `{text}` x {boost:.2}")
            }
            Self::Run { letters, begins, boost } => {
                let place = if *begins { "beginning" } else { "letters" };
                writeln!(out, "{indent}{place} `{letters}` x {boost:.2}")
            }
            Self::Best(all) => {
                let _ = writeln!(out, "{indent}best of");
                all.iter().for_each(|it| it.write(out, depth + 1));
                Ok(())
            }
            Self::All { must, should, boost } => {
                let _ = writeln!(out, "{indent}all of x {boost:.2}");
                must.iter().for_each(|it| it.write(out, depth + 1));
                if !should.is_empty() {
                    let _ = writeln!(out, "{indent}better with");
                    should.iter().for_each(|it| it.write(out, depth + 1));
                }
                Ok(())
            }
            Self::Some { of, at_least } => {
                let _ = writeln!(out, "{indent}at least {at_least} of");
                of.iter().for_each(|it| it.write(out, depth + 1));
                Ok(())
            }
        };
    }
}
