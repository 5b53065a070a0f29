//! The people of the town: their names, a line about themselves, where they live and what they like.

use std::sync::LazyLock;

// Nickname, province (first two digits of a region code), likes, avatar slug, bio; the first two
// lines are the accounts shown to whoever starts the program.
const TABLE: &str = include_str!("people.tsv");

const DOMAIN: &str = "moim.town";

static CARDS: LazyLock<Vec<Card>> = LazyLock::new(|| TABLE.lines().filter_map(parse).collect());

/// Someone who signs up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name shown to others; unique.
    pub nickname: String,
    /// Address to sign in with; unique.
    pub email: String,
    /// What they say about themselves.
    pub bio: Option<String>,
    /// Their picture.
    pub avatar_url: Option<String>,
}

/// What the town knows of someone when it decides who joins what.
#[derive(Debug, Clone)]
pub(super) struct Card {
    pub(super) nickname: &'static str,
    pub(super) province: &'static str,
    likes: &'static str,
    avatar: &'static str,
    bio: &'static str,
}

impl Card {
    pub(super) fn likes(&self, category: &str) -> bool {
        self.likes.split(',').any(|like| like == category)
    }
}

/// The first `count` people, always the same ones; beyond the written ones, namesakes with a number.
pub fn people(count: usize) -> Vec<Person> {
    (0..count).filter_map(person).collect()
}

pub(super) fn cards() -> &'static [Card] {
    &CARDS
}

fn person(index: usize) -> Option<Person> {
    let card = CARDS.get(index % CARDS.len().max(1))?;
    let round = index / CARDS.len().max(1);
    if round > 0 {
        // Room is left for the number, since a nickname holds twenty characters.
        let stem: String = card.nickname.chars().take(14).collect();
        return Some(Person {
            nickname: format!("{stem}_{}", round + 1),
            email: email(index),
            bio: None,
            avatar_url: None,
        });
    }
    Some(Person {
        nickname: card.nickname.to_owned(),
        email: email(index),
        bio: (!card.bio.is_empty()).then(|| card.bio.to_owned()),
        avatar_url: (!card.avatar.is_empty())
            .then(|| format!("https://avatars.{DOMAIN}/{}.png", card.avatar)),
    })
}

fn email(index: usize) -> String {
    match index {
        0 => format!("host@{DOMAIN}"),
        1 => format!("member@{DOMAIN}"),
        _ => format!("person{index:03}@{DOMAIN}"),
    }
}

fn parse(line: &'static str) -> Option<Card> {
    let mut fields = line.split('\t');
    Some(Card {
        nickname: fields.next()?,
        province: fields.next()?,
        likes: fields.next()?,
        avatar: fields.next()?,
        bio: fields.next()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_person() {
        assert_eq!(CARDS.len(), TABLE.lines().count());
        assert!(CARDS.len() >= 300, "{}", CARDS.len());
    }

    #[test]
    fn the_first_two_are_the_accounts_to_sign_in_with() {
        let people = people(2);
        assert_eq!(people[0].nickname, "한강지기");
        assert_eq!(people[0].email, "host@moim.town");
        assert_eq!(people[1].nickname, "느린산책");
        assert_eq!(people[1].email, "member@moim.town");
    }

    #[test]
    fn nicknames_and_emails_are_unique_however_many_people_there_are() {
        let people = people(1_000);
        let nicknames: HashSet<_> = people.iter().map(|p| p.nickname.to_lowercase()).collect();
        let emails: HashSet<_> = people.iter().map(|p| p.email.as_str()).collect();
        assert_eq!(people.len(), 1_000);
        assert_eq!(nicknames.len(), 1_000);
        assert_eq!(emails.len(), 1_000);
    }

    #[test]
    fn nicknames_keep_to_the_letters_a_nickname_may_have() {
        for person in people(1_000) {
            let name = &person.nickname;
            assert!((2..=20).contains(&name.chars().count()), "{name}");
            assert!(
                name.chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || ('가'..='힣').contains(&c)),
                "{name}"
            );
        }
    }

    #[test]
    fn most_people_have_a_bio_and_some_a_picture() {
        let people = people(320);
        let bios: Vec<_> = people.iter().filter_map(|p| p.bio.as_deref()).collect();
        let pictures: Vec<_> = people.iter().filter_map(|p| p.avatar_url.as_deref()).collect();
        assert!((65..=78).contains(&(bios.len() * 100 / 320)));
        assert!((35..=45).contains(&(pictures.len() * 100 / 320)));
        assert_eq!(bios.iter().collect::<HashSet<_>>().len(), bios.len());
        assert_eq!(pictures.iter().collect::<HashSet<_>>().len(), pictures.len());
        assert!(bios.iter().all(|bio| bio.chars().count() <= 100));
        assert!(
            pictures
                .iter()
                .all(|url| url.starts_with("https://avatars.moim.town/") && url.ends_with(".png"))
        );
    }

    #[test]
    fn everyone_lives_somewhere_and_likes_something() {
        for card in cards() {
            assert!(card.province.len() == 2, "{card:?}");
            assert!(!card.likes.is_empty(), "{card:?}");
        }
    }
}
