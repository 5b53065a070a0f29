//! The reviews of the town: who found what to say about the meetups they were at.

use std::collections::HashMap;

use super::dice::Dice;
use super::gatherings::GatheringPlan;
use super::schedules::SchedulePlan;

// Category or ANY, rating, text.
const TABLE: &str = include_str!("reviews.tsv");

const SEED: u64 = 20_260_910;
/// In a hundred meetups of the past, so many are reviewed.
const REVIEWED: usize = 55;
/// Most reviews of one meetup.
const MOST: usize = 3;

/// What somebody thought of a meetup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewPlan {
    /// Who was there.
    pub person: usize,
    /// 1 to 5.
    pub rating: i32,
    /// Why.
    pub body: &'static str,
}

/// Has people who came review some of the meetups of the past.
pub fn review(meetups: &mut [SchedulePlan], gatherings: &[GatheringPlan]) {
    let mut dice = Dice::new(SEED);
    let mut opinions: HashMap<&str, Vec<Opinion>> = HashMap::new();
    for meetup in meetups {
        let Some(gathering) = gatherings.get(meetup.gathering) else { continue };
        let guests = meetup.attendees.iter().zip(&meetup.came);
        let mut there: Vec<usize> = guests
            .filter(|(person, came)| **came && **person != gathering.host)
            .map(|(person, _)| *person)
            .collect();
        if !dice.chance(REVIEWED) {
            continue;
        }
        dice.shuffle(&mut there);
        there.truncate(1 + dice.below(MOST));
        let left = opinions.entry(gathering.category).or_default();
        for person in there {
            if left.is_empty() {
                *left = opinions_of(gathering.category, &mut dice);
            }
            meetup.reviews.extend(left.pop().map(|it| ReviewPlan {
                person,
                rating: it.rating,
                body: it.body,
            }));
        }
    }
}

#[derive(Clone)]
struct Opinion {
    rating: i32,
    body: &'static str,
}

/// All that may be said about a category, in any order.
fn opinions_of(category: &str, dice: &mut Dice) -> Vec<Opinion> {
    let mut opinions: Vec<_> = TABLE
        .lines()
        .filter_map(parse)
        .filter(|(about, _)| *about == category || *about == "ANY")
        .map(|(_, opinion)| opinion)
        .collect();
    dice.shuffle(&mut opinions);
    opinions
}

fn parse(line: &'static str) -> Option<(&'static str, Opinion)> {
    let mut fields = line.split('\t');
    let about = fields.next()?;
    let opinion = Opinion { rating: fields.next()?.parse().ok()?, body: fields.next()? };
    Some((about, opinion))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::gatherings::{GUEST, gatherings};
    use super::super::schedules::schedules_before_saturday;
    use super::*;

    #[test]
    fn every_line_of_the_table_is_an_opinion_on_a_category_that_there_is() {
        let gatherings = gatherings();
        let categories: HashSet<_> = gatherings.iter().map(|plan| plan.category).collect();
        let parsed: Vec<_> = TABLE.lines().filter_map(parse).collect();
        assert_eq!(parsed.len(), TABLE.lines().count());
        for (about, opinion) in &parsed {
            assert!(*about == "ANY" || categories.contains(about), "{about}");
            assert!((1..=5).contains(&opinion.rating), "{}", opinion.body);
            assert!((10..=200).contains(&opinion.body.chars().count()), "{}", opinion.body);
        }
        let texts: HashSet<_> = parsed.iter().map(|(_, opinion)| opinion.body).collect();
        assert_eq!(texts.len(), parsed.len());
        assert!(categories.iter().all(|it| parsed.iter().any(|(about, _)| about == it)));
    }

    #[test]
    fn only_who_came_reviews_each_once_and_never_the_host() {
        let gatherings = gatherings();
        for plan in schedules_before_saturday(&gatherings, 3) {
            let mut seen = HashSet::new();
            for review in &plan.reviews {
                assert!(seen.insert(review.person), "{plan:?}");
                assert_ne!(review.person, gatherings[plan.gathering].host, "{plan:?}");
                let at = plan.attendees.iter().position(|person| *person == review.person);
                assert!(plan.came[at.unwrap()], "{plan:?}");
            }
        }
    }

    #[test]
    fn many_are_reviewed_but_not_all_and_opinions_differ() {
        let meetups = schedules_before_saturday(&gatherings(), 0);
        let past: Vec<_> = meetups.iter().filter(|plan| plan.starts_in_hours < 0).collect();
        let reviewed = past.iter().filter(|plan| !plan.reviews.is_empty()).count();
        assert!(reviewed * 3 > past.len() && reviewed < past.len(), "{reviewed}");
        let reviews: Vec<_> = meetups.iter().flat_map(|plan| &plan.reviews).collect();
        assert!((60..=200).contains(&reviews.len()), "{}", reviews.len());
        let ratings: HashSet<_> = reviews.iter().map(|review| review.rating).collect();
        assert!(ratings.len() >= 3);
        assert!(reviews.iter().any(|review| review.person == GUEST));
    }
}
