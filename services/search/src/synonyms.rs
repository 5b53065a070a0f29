//! Words that mean the same, read from a file that people edit.

use std::collections::HashMap;

use crate::normal;

/// Marks the name of a group where words stand; no word begins with it.
const MARK: char = '=';

/// Groups of words of one meaning.
#[derive(Clone, Debug, Default)]
pub struct Synonyms {
    groups: Vec<Vec<String>>,
    of: HashMap<String, usize>,
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{word}` stands in two groups")]
pub struct Twice {
    line: usize,
    word: String,
}

impl Synonyms {
    /// Reads one group per line, words with commas between, comments after `#`.
    pub fn try_parse(text: &str) -> Result<Self, Twice> {
        let mut found = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.split_once('#').map_or(line, |(before, _)| before);
            let words = line.split(',').map(joined).filter(|word| !word.is_empty());
            let mut group: Vec<String> = Vec::new();
            for word in words {
                let other = found.of.insert(word.clone(), found.groups.len());
                if other.is_some_and(|it| it != found.groups.len()) {
                    return Err(Twice { line: index + 1, word });
                }
                if other.is_none() {
                    group.push(word);
                }
            }
            if !group.is_empty() {
                found.groups.push(group);
            }
        }
        Ok(found)
    }

    /// What stands in the index for every word of this word's group.
    pub fn mark(&self, word: &str) -> Option<String> {
        let name = self.groups.get(*self.of.get(word)?)?.first()?;
        Some(format!("{MARK}{name}"))
    }

    /// The words of this word's group, itself included.
    pub fn group(&self, word: &str) -> &[String] {
        self.of.get(word).and_then(|it| self.groups.get(*it)).map_or(&[], Vec::as_slice)
    }

    /// Every word of every group.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(String::as_str)
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }
}

/// A term as it is compared: its words without blanks between.
pub fn joined(term: &str) -> String {
    normal::line(term).replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_answers_to_each_of_its_words() {
        let text = "# all of it\n등산, 하이킹, Trail Walk # more\n\n독서, 책\n";
        let synonyms = Synonyms::try_parse(text).unwrap();
        assert_eq!(synonyms.len(), 2);
        assert_eq!(synonyms.mark("trailwalk").as_deref(), Some("=등산"));
        assert_eq!(synonyms.mark("책"), synonyms.mark("독서"));
        assert_eq!(synonyms.group("책"), ["독서", "책"]);
        assert_eq!(synonyms.mark("수영"), None);
    }

    #[test]
    fn a_word_in_two_groups_is_told_with_its_line() {
        let twice = Synonyms::try_parse("a, b\nc, b").unwrap_err();
        assert_eq!(twice.to_string(), "line 2: `b` stands in two groups");
    }
}
