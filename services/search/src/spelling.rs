//! How terms are written: one term has many spellings, and the one that is typed most is shown.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Spellings of one term that are told apart; the least typed go first.
const MOST: usize = 8;

/// Spellings of terms, with how often each is typed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spellings(HashMap<String, HashMap<String, f64>>);

impl Spellings {
    /// A term was written like this so often.
    pub fn add(&mut self, term: &str, spelling: &str, times: f64) {
        if !self.0.contains_key(term) {
            self.0.insert(term.to_owned(), HashMap::new());
        }
        let Some(all) = self.0.get_mut(term) else { return };
        *all.entry(spelling.to_owned()).or_default() += times;
        if all.len() > MOST {
            let others = all.iter().filter(|(it, _)| *it != spelling);
            let least =
                others.min_by(|one, other| one.1.total_cmp(other.1).then(one.0.cmp(other.0)));
            if let Some(least) = least.map(|it| it.0.clone()) {
                all.remove(&least);
            }
        }
    }

    /// The spelling of a term that is typed most; of several the first in order.
    pub fn best(&self, term: &str) -> Option<&str> {
        let all = self.0.get(term)?.iter();
        let best = all.max_by(|one, other| one.1.total_cmp(other.1).then(other.0.cmp(one.0)));
        best.map(|(spelling, _)| spelling.as_str())
    }

    /// Forgets the terms of which this is false.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|term, _| keep(term));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_that_is_typed_most_is_shown() {
        let mut spellings = Spellings::default();
        spellings.add("독서모임", "독서모임", 1.0);
        spellings.add("독서모임", "독서 모임", 1.0);
        assert_eq!(spellings.best("독서모임"), Some("독서 모임"));
        spellings.add("독서모임", "독서모임", 1.0);
        assert_eq!(spellings.best("독서모임"), Some("독서모임"));
        for number in 0..100 {
            spellings.add("독서모임", &format!("독 서{number}"), 0.1);
        }
        assert_eq!(spellings.best("독서모임"), Some("독서모임"));
        assert_eq!(spellings.0["독서모임"].len(), MOST);
        assert_eq!(spellings.best("등산"), None);
        spellings.retain(|it| it != "독서모임");
        assert_eq!(spellings, Spellings::default());
    }
}
