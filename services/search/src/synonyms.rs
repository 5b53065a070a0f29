//! Words that mean the same, read from a file that people edit.

use std::collections::HashMap;

use crate::{normal, verbs};

/// Marks the name of a group where words stand; no word begins with it.
const MARK: char = '=';
/// Marks the name of a wide word where a narrow one stands.
const NARROW: char = '<';
/// Follows a verb that stands for all its forms.
const VERB: char = '~';

/// Groups of words of one meaning.
#[derive(Clone, Debug, Default)]
pub struct Synonyms {
    groups: Vec<Vec<String>>,
    of: HashMap<String, usize>,
    /// Forms of verbs, which are known but no words to be corrected to.
    forms: Vec<String>,
    /// Words that mean a group to who types them, but not where they stand.
    meant: HashMap<String, String>,
    /// The wide words of a narrow one, both by the names of their groups.
    wide: HashMap<String, Vec<String>>,
    /// The wide word that stands in for a narrow one of which there is little.
    instead: HashMap<String, String>,
    /// What stands in the index for a word beside itself.
    marks: HashMap<String, Vec<String>>,
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
        let mut verbs = Vec::new();
        // Names are known only once all groups are.
        let (mut meant, mut pairs, mut instead) = (Vec::new(), Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let line = line.split_once('#').map_or(line, |(before, _)| before);
            if let Some((words, group)) = line.split_once("->") {
                meant.extend(list(words).map(|it| (it, joined(group))));
                continue;
            }
            if let Some((wide, narrow)) = line.split_once('>') {
                pairs.extend(list(narrow).map(|it| (joined(wide), it)));
                continue;
            }
            let (words, wide) = line.split_once('<').unwrap_or((line, ""));
            let mut group: Vec<String> = Vec::new();
            for word in words.split(',') {
                let verb = word.trim().strip_suffix(VERB);
                let word = joined(verb.unwrap_or(word));
                if word.is_empty() {
                    continue;
                }
                if verb.is_some() {
                    verbs.push((word.clone(), found.groups.len()));
                }
                let other = found.of.insert(word.clone(), found.groups.len());
                if other.is_some_and(|it| it != found.groups.len()) {
                    return Err(Twice { line: index + 1, word });
                }
                if other.is_none() {
                    group.push(word);
                }
            }
            if let Some(name) = group.first() {
                pairs.extend(list(wide).map(|it| (it, name.clone())));
                instead.extend(list(wide).next().map(|it| (name.clone(), it)));
                found.groups.push(group);
            }
        }
        for (form, group) in verbs.iter().flat_map(|(verb, group)| {
            verbs::forms(verb).into_iter().map(move |form| (form, *group))
        }) {
            // A word that was given goes before the form of another.
            if !found.of.contains_key(&form) {
                found.of.insert(form.clone(), group);
                found.forms.push(form);
            }
        }
        let meant = meant.into_iter().map(|(word, group)| (word, found.name(&group).to_owned()));
        found.meant = meant.collect();
        let instead = instead.into_iter().map(|(name, wide)| (name, found.name(&wide).to_owned()));
        found.instead = instead.collect();
        pairs.iter().for_each(|(wide, narrow)| found.widen(wide, narrow));
        let known = found.of.keys().chain(found.wide.keys());
        let marks = known.map(|word| {
            let marks = found.mark(word).into_iter().chain(found.wide(word));
            (word.to_owned(), marks.collect())
        });
        found.marks = marks.collect();
        Ok(found)
    }

    fn widen(&mut self, wide: &str, narrow: &str) {
        let (wide, narrow) = (self.name(wide).to_owned(), self.name(narrow).to_owned());
        let known = self.wide.entry(narrow).or_default();
        if !known.contains(&wide) {
            known.push(wide);
        }
    }

    /// The name of a word's group; a word of no group is its own.
    fn name<'a>(&'a self, word: &'a str) -> &'a str {
        let group = self.of.get(word).and_then(|it| self.groups.get(*it));
        group.and_then(|it| it.first()).map_or(word, String::as_str)
    }

    /// What stands in the index for the wide words of this one.
    pub fn wide(&self, word: &str) -> impl Iterator<Item = String> {
        let wide = self.wide.get(self.name(word)).into_iter().flatten();
        wide.map(|it| format!("{NARROW}{it}"))
    }

    /// What is found where there is little of a narrow word: what its group names first as wide, and what is as narrow.
    pub fn instead(&self, word: &str) -> Option<[String; 2]> {
        let name = self.meant.get(word).map_or_else(|| self.name(word), String::as_str);
        self.instead.get(name).map(|wide| [MARK, NARROW].map(|mark| format!("{mark}{wide}")))
    }

    /// What narrow words are found by, for a word that may be wide.
    pub fn narrow(&self, word: &str) -> String {
        format!("{NARROW}{}", self.name(word))
    }

    /// What stands in the index for every word of the group that somebody means by this one.
    pub fn mark(&self, word: &str) -> Option<String> {
        let group = self.of.get(word).and_then(|it| self.groups.get(*it)?.first());
        let name = group.or_else(|| self.meant.get(word))?;
        Some(format!("{MARK}{name}"))
    }

    /// Whether this word means its group only to who types it.
    pub fn is_meant(&self, word: &str) -> bool {
        self.meant.contains_key(word)
    }

    /// What stands in the index for this word beside itself: its group and wide words.
    pub fn marks(&self, word: &str) -> &[String] {
        self.marks.get(word).map_or(&[], Vec::as_slice)
    }

    /// The words of this word's group, itself included.
    pub fn group(&self, word: &str) -> &[String] {
        self.of.get(word).and_then(|it| self.groups.get(*it)).map_or(&[], Vec::as_slice)
    }

    /// Forms of the verbs among them.
    pub fn forms(&self) -> &[String] {
        &self.forms
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

fn list(words: &str) -> impl Iterator<Item = String> {
    words.split(',').map(joined).filter(|it| !it.is_empty())
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
    fn a_wide_word_finds_narrow_ones_but_not_the_other_way_round() {
        let text = "캠핑, camping\n차박, 차크닉\ncamping > 차크닉, 글램핑";
        let synonyms = Synonyms::try_parse(text).unwrap();
        for narrow in ["차박", "차크닉", "글램핑"] {
            assert!(synonyms.wide(narrow).eq([synonyms.narrow("캠핑")]), "{narrow}");
        }
        assert_eq!(synonyms.wide("캠핑").count(), 0);
    }

    #[test]
    fn a_group_may_name_its_wide_words_wherever_those_stand() {
        let text = "차박, 차크닉 < camping, 여행\n캠핑, camping";
        let synonyms = Synonyms::try_parse(text).unwrap();
        let wide = [synonyms.narrow("캠핑"), synonyms.narrow("여행")];
        assert!(synonyms.wide("차크닉").eq(wide));
        let instead = [synonyms.mark("캠핑").unwrap(), synonyms.narrow("캠핑")];
        assert_eq!(synonyms.instead("차크닉"), Some(instead));
        assert_eq!(synonyms.instead("캠핑"), None);
    }

    #[test]
    fn a_verb_stands_for_its_forms_and_gives_way_to_words() {
        let text = "독서, 책 읽다~\n낭독, 책 읽고\n요가";
        let synonyms = Synonyms::try_parse(text).unwrap();
        for form in ["책읽다", "책읽는", "책읽어요"] {
            assert_eq!(synonyms.mark(form), synonyms.mark("독서"), "{form}");
        }
        assert_eq!(synonyms.mark("책읽고"), synonyms.mark("낭독"));
        assert!(!synonyms.forms().contains(&"책읽고".to_owned()));
    }

    #[test]
    fn a_word_of_many_meanings_means_a_group_only_to_who_types_it() {
        let synonyms = Synonyms::try_parse("강아지, 댕댕이\n개, 큰개 -> 댕댕이").unwrap();
        assert_eq!(synonyms.mark("개"), synonyms.mark("강아지"));
        assert_eq!(synonyms.mark("큰개"), synonyms.mark("강아지"));
        assert!(synonyms.marks("개").is_empty());
        assert_eq!(synonyms.marks("댕댕이"), ["=강아지"]);
    }

    #[test]
    fn a_word_in_two_groups_is_told_with_its_line() {
        let twice = Synonyms::try_parse("a, b\nc, b").unwrap_err();
        assert_eq!(twice.to_string(), "line 2: `b` stands in two groups");
    }
}
