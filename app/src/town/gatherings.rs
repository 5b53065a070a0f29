//! The gatherings of the town: who hosts them, who belongs and who is waiting to be let in.

use super::dice::Dice;
use super::people::{Card, cards};

/// How many of the people the town takes its hosts and members from.
pub const TOWN_SIZE: usize = 320;

// Key, category, region code, capacity, members with the host, join policy, CLOSED or nothing,
// host, standing of the second account, IMAGE or nothing, title, description.
const TABLE: &str = include_str!("gatherings.tsv");

const SEED: u64 = 20_260_701;

/// The second account: it joins what the table says and nothing else, so that its pages never surprise.
pub(super) const GUEST: usize = 1;

/// A gathering to be made, and how people stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatheringPlan {
    /// Short latin name, unique; never shown.
    pub key: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it is about.
    pub description: &'static str,
    /// Name of the category as in the schema, such as `OUTDOORS`.
    pub category: &'static str,
    /// Five-digit code of its region.
    pub region_code: &'static str,
    /// Most members it takes, the host included.
    pub capacity: i32,
    /// Whether newcomers wait for a decision.
    pub approval: bool,
    /// The person who makes it.
    pub host: usize,
    /// People who belong to it, the host apart, in the order they joined.
    pub members: Vec<usize>,
    /// People who asked and were not answered yet.
    pub pending: Vec<usize>,
    /// Those of the members who help the host.
    pub managers: Vec<usize>,
    /// Whether the host takes no newcomers any more, after all members have joined.
    pub closed: bool,
    /// Whether its members, with the host, fill it.
    pub full: bool,
    /// Its picture.
    pub image_url: Option<String>,
}

/// Every gathering of the town, in the order they are made.
pub fn gatherings() -> Vec<GatheringPlan> {
    let rows: Vec<Row> = TABLE.lines().filter_map(parse).collect();
    let mut dice = Dice::new(SEED);
    // Hosting counts as belonging, so that hosts are not asked everywhere as well.
    let mut load = vec![0; TOWN_SIZE];
    for row in &rows {
        add(&mut load, &[row.host]);
    }
    rows.into_iter().map(|row| row.plan(&mut load, &mut dice)).collect()
}

struct Row {
    key: &'static str,
    category: &'static str,
    region_code: &'static str,
    capacity: i32,
    size: usize,
    approval: bool,
    closed: bool,
    host: usize,
    guest: &'static str,
    image: bool,
    title: &'static str,
    description: &'static str,
}

impl Row {
    fn plan(self, load: &mut [usize], dice: &mut Dice) -> GatheringPlan {
        let mut keen = self.keenest_first(load, dice).into_iter();
        let joins = self.guest == "MEMBER";
        let wanted = self.size.saturating_sub(1 + usize::from(joins));
        let mut members: Vec<usize> = keen.by_ref().take(wanted).collect();
        // The keenest help the host; joining order is another matter.
        let managers = members.iter().copied().take(helpers(self.size)).collect();
        if joins {
            members.push(GUEST);
        }
        dice.shuffle(&mut members);

        let full = members.len() + 1 >= usize::try_from(self.capacity).unwrap_or_default();
        let waiting = self.approval && !self.closed && !full;
        let asked = if waiting { 1 + dice.below(4) } else { 0 };
        let mut pending: Vec<usize> = keen.take(asked).collect();
        if self.guest == "PENDING" {
            pending.push(GUEST);
        }
        add(load, &members);

        GatheringPlan {
            key: self.key,
            title: self.title,
            description: self.description,
            category: self.category,
            region_code: self.region_code,
            capacity: self.capacity,
            approval: self.approval,
            host: self.host,
            members,
            pending,
            managers,
            closed: self.closed,
            full,
            image_url: self.image.then(|| format!("https://images.moim.town/{}.jpg", self.key)),
        }
    }

    fn keenest_first(&self, load: &[usize], dice: &mut Dice) -> Vec<usize> {
        let mut ranked: Vec<(usize, usize)> = cards()
            .iter()
            .zip(load)
            .enumerate()
            .filter(|(person, _)| *person != self.host && *person != GUEST)
            .map(|(person, (card, busy))| {
                let keen = self.keenness(card) + dice.below(45);
                (keen.saturating_sub(busy * 6), person)
            })
            .collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked.into_iter().map(|(_, person)| person).collect()
    }

    fn keenness(&self, card: &Card) -> usize {
        // Two hundred to begin with keeps the busiest people above zero.
        let liking = if card.likes(self.category) { 40 } else { 0 };
        let province = self.region_code.get(..2).unwrap_or_default();
        200 + liking + nearness(card.province, province)
    }
}

fn nearness(home: &str, place: &str) -> usize {
    const NEIGHBOURS: [(&[&str], usize); 5] = [
        (&["11", "28", "41"], 28),
        (&["26", "31", "48"], 24),
        (&["27", "47"], 24),
        (&["30", "36", "43", "44"], 24),
        (&["29", "46", "52"], 22),
    ];
    if home == place {
        return 45;
    }
    NEIGHBOURS
        .iter()
        .find(|(group, _)| group.contains(&home) && group.contains(&place))
        .map_or(0, |(_, near)| *near)
}

fn helpers(size: usize) -> usize {
    match size {
        0..10 => 0,
        10..25 => 1,
        25..40 => 2,
        _ => 3,
    }
}

fn add(load: &mut [usize], people: &[usize]) {
    for person in people {
        if let Some(count) = load.get_mut(*person) {
            *count += 1;
        }
    }
}

fn parse(line: &'static str) -> Option<Row> {
    let mut fields = line.split('\t');
    Some(Row {
        key: fields.next()?,
        category: fields.next()?,
        region_code: fields.next()?,
        capacity: fields.next()?.parse().ok()?,
        size: fields.next()?.parse().ok()?,
        approval: fields.next()? == "APPROVAL",
        closed: fields.next()? == "CLOSED",
        host: {
            let nickname = fields.next()?;
            cards().iter().position(|card| card.nickname == nickname)?
        },
        guest: fields.next()?,
        image: fields.next()? == "IMAGE",
        title: fields.next()?,
        description: fields.next()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    const CATEGORIES: [&str; 14] = [
        "ARTS",
        "BOOKS",
        "COOKING",
        "CULTURE",
        "GAMES",
        "LANGUAGE",
        "MUSIC",
        "OUTDOORS",
        "PETS",
        "SOCIAL",
        "SPORTS",
        "STUDY",
        "TRAVEL",
        "VOLUNTEERING",
    ];

    fn size(plan: &GatheringPlan) -> usize {
        plan.members.len() + 1
    }

    #[test]
    fn every_line_of_the_table_is_a_gathering() {
        assert_eq!(gatherings().len(), TABLE.lines().count());
        assert!(gatherings().len() >= 64);
        assert_eq!(gatherings(), gatherings());
    }

    #[test]
    fn all_categories_and_many_regions_are_there() {
        let plans = gatherings();
        let mut per_category: HashMap<&str, usize> = HashMap::new();
        for plan in &plans {
            assert!(CATEGORIES.contains(&plan.category), "{}", plan.category);
            *per_category.entry(plan.category).or_default() += 1;
        }
        assert!(CATEGORIES.iter().all(|c| per_category[c] >= 3));
        let regions: HashSet<_> = plans.iter().map(|p| p.region_code).collect();
        assert!(regions.len() >= 30, "{}", regions.len());
        assert!(regions.iter().all(|code| code.len() == 5));
    }

    #[test]
    fn texts_and_sizes_keep_their_limits() {
        let plans = gatherings();
        let titles: HashSet<_> = plans.iter().map(|p| p.title).collect();
        assert_eq!(titles.len(), plans.len());
        for plan in &plans {
            let described = plan.description.chars().count();
            assert!((2..=60).contains(&plan.title.chars().count()), "{plan:?}");
            assert!((40..=300).contains(&described), "{plan:?}");
            assert!((2..=1_000).contains(&plan.capacity), "{plan:?}");
            assert!((4..=60).contains(&size(plan)), "{plan:?}");
            assert!(size(plan) <= plan.capacity as usize, "{plan:?}");
        }
        assert!(plans.iter().any(|plan| size(plan) == 60));
        assert!(plans.iter().any(|plan| size(plan) == 4));
    }

    #[test]
    fn everyone_stands_in_a_gathering_once() {
        for plan in gatherings() {
            let mut seen = HashSet::from([plan.host]);
            for person in plan.members.iter().chain(&plan.pending) {
                assert!(*person < TOWN_SIZE);
                assert!(seen.insert(*person), "{person} twice in {}", plan.title);
            }
            assert!(plan.managers.iter().all(|m| plan.members.contains(m)));
        }
    }

    #[test]
    fn requests_wait_only_where_they_can_be_granted() {
        let plans = gatherings();
        for plan in plans.iter().filter(|plan| !plan.pending.is_empty()) {
            assert!(plan.approval && !plan.closed && !plan.full, "{plan:?}");
        }
        assert!(plans.iter().filter(|p| !p.pending.is_empty()).count() >= 10);
        assert!(plans.iter().any(|plan| !plan.approval));
    }

    #[test]
    fn one_is_closed_and_two_are_full() {
        let plans = gatherings();
        assert_eq!(plans.iter().filter(|plan| plan.closed).count(), 1);
        assert_eq!(plans.iter().filter(|plan| plan.full).count(), 2);
        for plan in &plans {
            assert_eq!(plan.full, size(plan) == plan.capacity as usize);
        }
    }

    #[test]
    fn the_two_accounts_have_something_to_see() {
        let plans = gatherings();
        let hosted = plans.iter().filter(|plan| plan.host == 0).count();
        let joined = plans.iter().filter(|p| p.members.contains(&GUEST)).count();
        let asked = plans.iter().filter(|p| p.pending.contains(&GUEST)).count();
        assert!(hosted >= 3, "{hosted}");
        assert!(joined >= 5, "{joined}");
        assert_eq!(asked, 1);
    }

    #[test]
    fn most_people_belong_somewhere_and_nobody_everywhere() {
        let mut load = vec![0; TOWN_SIZE];
        for plan in gatherings() {
            add(&mut load, &plan.members);
            add(&mut load, &[plan.host]);
        }
        let idle = load.iter().filter(|count| **count == 0).count();
        assert!(idle * 10 < TOWN_SIZE, "{idle} belong nowhere");
        assert!(load.iter().all(|count| *count <= 12));
    }
}
