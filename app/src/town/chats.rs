//! The chats of the town: what people of a gathering said to each other on one of the last evenings.

use super::dice::Dice;
use super::gatherings::{GUEST, GatheringPlan};

// Key of the gathering, or ANY with a number for one of those that fit everywhere; speaker, text. HOST is
// the host, GUEST the second account, A to C are members.
const TABLE: &str = include_str!("chats.tsv");

const SEED: u64 = 20_260_920;
/// How many exchanges fit everywhere.
const ANYWHERE: usize = 8;
/// The evenings on which people talked, in days before today.
const EVENINGS: usize = 5;

/// Something somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who says it.
    pub person: usize,
    /// What.
    pub body: &'static str,
}

/// What is said in one gathering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatPlan {
    /// Which of the gatherings.
    pub gathering: usize,
    /// On which day; yesterday is -1.
    pub day: i64,
    /// In its order.
    pub lines: Vec<Line>,
}

/// One exchange in each gathering: its own where the table has one.
pub fn chats(gatherings: &[GatheringPlan]) -> Vec<ChatPlan> {
    let mut dice = Dice::new(SEED);
    let plan = |(gathering, plan): (usize, &GatheringPlan)| {
        let anywhere = format!("ANY-{}", 1 + dice.below(ANYWHERE));
        let day = -1 - dice.below(EVENINGS) as i64;
        let own = lines(plan.key, plan);
        let lines = if own.is_empty() { lines(&anywhere, plan) } else { own };
        ChatPlan { gathering, day, lines }
    };
    gatherings.iter().enumerate().map(plan).collect()
}

/// An exchange as it runs between the people of a gathering.
fn lines(exchange: &str, gathering: &GatheringPlan) -> Vec<Line> {
    let members: Vec<usize> =
        gathering.members.iter().copied().filter(|person| *person != GUEST).collect();
    let said = TABLE.lines().filter_map(parse).filter(|(key, ..)| *key == exchange);
    let lines = said.filter_map(|(_, speaker, body)| {
        let person = match speaker {
            "HOST" => Some(gathering.host),
            "GUEST" => gathering.members.contains(&GUEST).then_some(GUEST),
            "A" => members.first().copied(),
            "B" => members.get(1).copied(),
            _ => members.get(2).copied(),
        };
        Some(Line { person: person?, body })
    });
    lines.collect()
}

fn parse(line: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let mut fields = line.split('\t');
    Some((fields.next()?, fields.next()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::gatherings::gatherings;
    use super::*;

    #[test]
    fn every_line_of_the_table_is_said_by_somebody_who_may() {
        let plans = gatherings();
        let keys: HashSet<_> = plans.iter().map(|plan| plan.key).collect();
        let anywhere: HashSet<_> = (1..=ANYWHERE).map(|n| format!("ANY-{n}")).collect();
        let mut used = HashSet::new();
        for line in TABLE.lines() {
            let (key, speaker, body) = parse(line).unwrap();
            assert!(keys.contains(key) || anywhere.contains(key), "{line}");
            assert!(["HOST", "GUEST", "A", "B", "C"].contains(&speaker), "{line}");
            assert!((2..=200).contains(&body.chars().count()), "{line}");
            used.insert(key);
        }
        assert!(anywhere.iter().all(|key| used.contains(key.as_str())));
        for plan in &plans {
            let own = TABLE.lines().filter(|line| line.starts_with(&format!("{}\t", plan.key)));
            assert_eq!(lines(plan.key, plan).len(), own.count(), "{} loses a line", plan.key);
        }
    }

    #[test]
    fn people_talk_in_every_gathering_they_belong_to_on_a_past_evening() {
        let gatherings = gatherings();
        let chats = chats(&gatherings);
        assert_eq!(chats.len(), gatherings.len());
        for chat in &chats {
            let gathering = &gatherings[chat.gathering];
            assert!(chat.lines.len() >= 2, "{chat:?}");
            assert!((-(EVENINGS as i64)..0).contains(&chat.day), "{chat:?}");
            for line in &chat.lines {
                let belongs =
                    line.person == gathering.host || gathering.members.contains(&line.person);
                assert!(belongs, "{chat:?}");
            }
        }
        let all: usize = chats.iter().map(|chat| chat.lines.len()).sum();
        assert!(all <= 300, "{all}");
        let guest = |chat: &&ChatPlan| chat.lines.iter().any(|line| line.person == GUEST);
        assert!(chats.iter().filter(guest).count() >= 5);
    }
}
