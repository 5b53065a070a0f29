//! The meetups of the town: when and where they are, who comes and who waits for a seat.

use super::dice::Dice;
use super::gatherings::{GUEST, GatheringPlan, TOWN_SIZE};
use super::reviews::{self, ReviewPlan};

// Key of the gathering, WEEKDAY or WEEKEND, hour of the day, hours it lasts, seats, HOT or nothing,
// title, place, description; the meetups of one gathering in the order they happen.
const TABLE: &str = include_str!("schedules.tsv");

const SEED: u64 = 20_260_815;

// Days are counted from a Saturday; the gap around it is what lets the whole town move by up to six
// days without a past meetup becoming a future one.
const PAST: (i64, i64) = (-59, -8);
const FUTURE: (i64, i64) = (1, 53);

/// A meetup to be made, and who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePlan {
    /// Which of the gatherings it belongs to.
    pub gathering: usize,
    /// What it is called.
    pub title: String,
    /// What to know before coming.
    pub description: String,
    /// Where to meet.
    pub place: String,
    /// When it begins, in hours from the start of today in Seoul; negative when it is over.
    pub starts_in_hours: i64,
    /// How long it lasts.
    pub length_hours: i64,
    /// Seats.
    pub capacity: i32,
    /// Who asked for a seat, first come first; those beyond the capacity wait.
    pub attendees: Vec<usize>,
    /// For a past one, whether each of those who had a seat was there; empty for a future one.
    pub came: Vec<bool>,
    /// What some of those who came thought of it.
    pub reviews: Vec<ReviewPlan>,
}

/// Every meetup of these gatherings when the next Saturday is this many days away (0 to 6), so that
/// hikes and baking fall on weekends and evening meetups on working days.
pub fn schedules_before_saturday(
    gatherings: &[GatheringPlan],
    days_to_saturday: i64,
) -> Vec<SchedulePlan> {
    let shift = days_to_saturday.rem_euclid(7) * 24;
    let mut dice = Dice::new(SEED);
    let mut slots = dated(gatherings, &mut dice);
    // Those with more takers than seats choose first, or their takers would already be elsewhere.
    let mut order: Vec<usize> = (0..slots.len()).collect();
    order.sort_by_key(|index| !slots.get(*index).is_some_and(|slot| slot.row.hot));
    let mut diary = Diary::new();
    for index in order {
        if let Some(slot) = slots.get_mut(index)
            && let Some(gathering) = gatherings.get(slot.gathering)
        {
            slot.attendees = takers(slot, gathering, &mut diary, &mut dice);
        }
    }
    let mut plans: Vec<_> =
        slots.into_iter().map(|slot| slot.plan(gatherings, shift, &mut dice)).collect();
    reviews::review(&mut plans, gatherings);
    plans
}

#[derive(Clone)]
struct Row {
    key: &'static str,
    weekend: bool,
    hour: i64,
    length: i64,
    seats: usize,
    hot: bool,
    title: &'static str,
    place: &'static str,
    description: &'static str,
}

struct Slot {
    gathering: usize,
    row: Row,
    start: i64,
    attendees: Vec<usize>,
}

impl Slot {
    fn is_past(&self) -> bool {
        self.start < 0
    }

    fn plan(self, gatherings: &[GatheringPlan], shift: i64, dice: &mut Dice) -> SchedulePlan {
        let host = gatherings.get(self.gathering).map(|plan| plan.host);
        let seated = if self.is_past() { self.row.seats } else { 0 };
        let came = self
            .attendees
            .iter()
            .take(seated)
            .map(|person| Some(*person) == host || dice.chance(90))
            .collect();
        SchedulePlan {
            gathering: self.gathering,
            title: self.row.title.to_owned(),
            description: self.row.description.to_owned(),
            place: self.row.place.to_owned(),
            starts_in_hours: self.start + shift,
            length_hours: self.row.length,
            capacity: i32::try_from(self.row.seats).unwrap_or(i32::MAX),
            attendees: self.attendees,
            came,
            reviews: Vec::new(),
        }
    }
}

// Who is where: nobody is promised to two places at once.
struct Diary {
    busy: Vec<Vec<(i64, i64)>>,
    guest_waits: bool,
}

impl Diary {
    fn new() -> Self {
        Self { busy: vec![Vec::new(); TOWN_SIZE], guest_waits: false }
    }

    fn is_free(&self, person: usize, from: i64, until: i64) -> bool {
        // An hour on either side, because people have to get from one place to the next.
        self.busy
            .get(person)
            .is_some_and(|entries| entries.iter().all(|(start, end)| until < *start || *end < from))
    }

    fn note(&mut self, person: usize, from: i64, until: i64) {
        if let Some(entries) = self.busy.get_mut(person) {
            entries.push((from, until));
        }
    }
}

fn dated(gatherings: &[GatheringPlan], dice: &mut Dice) -> Vec<Slot> {
    let rows: Vec<Row> = TABLE.lines().filter_map(parse).collect();
    let mut slots = Vec::with_capacity(rows.len());
    for (gathering, plan) in gatherings.iter().enumerate() {
        let own: Vec<&Row> = rows.iter().filter(|row| row.key == plan.key).collect();
        let past = (own.len() + dice.below(2)) / 2;
        for (turn, row) in own.iter().enumerate() {
            let (window, turn, turns) = if turn < past {
                (PAST, turn, past)
            } else {
                (FUTURE, turn - past, own.len() - past)
            };
            let day = day_within(window, turn, turns, row, dice);
            slots.push(Slot {
                gathering,
                row: (*row).clone(),
                start: day * 24 + row.hour,
                attendees: Vec::new(),
            });
        }
    }
    slots
}

// Each meetup of a gathering has a part of the window to itself, so that they keep their order.
fn day_within(window: (i64, i64), turn: usize, turns: usize, row: &Row, dice: &mut Dice) -> i64 {
    let (first, last) = window;
    let (turn, turns) = (turn as i64, turns as i64);
    let days = last - first + 1;
    let from = first + days * turn / turns;
    let until = first + days * (turn + 1) / turns;
    let fitting: Vec<i64> = (from..until).filter(|day| row.fits(*day)).collect();
    fitting.get(dice.below(fitting.len())).copied().unwrap_or(from)
}

impl Row {
    fn fits(&self, day: i64) -> bool {
        match day.rem_euclid(7) {
            0 => self.weekend,
            // A night away ends on Sunday, since most people work on Monday.
            1 => self.weekend && self.hour + self.length <= 24,
            _ => !self.weekend,
        }
    }
}

fn takers(slot: &Slot, plan: &GatheringPlan, diary: &mut Diary, dice: &mut Dice) -> Vec<usize> {
    let (from, until) = (slot.start, slot.start + slot.row.length);
    let seats = slot.row.seats;
    let mut free: Vec<usize> =
        plan.members.iter().copied().filter(|person| diary.is_free(*person, from, until)).collect();
    dice.shuffle(&mut free);
    if diary.is_free(plan.host, from, until) && (slot.row.hot || dice.chance(92)) {
        free.insert(0, plan.host);
    }
    let wanted = demand(slot, free.len(), dice);
    place_guest(&mut free, slot, wanted, diary, dice);
    free.truncate(wanted.max(1));
    if !slot.row.hot && !slot.is_past() {
        free.truncate(seats);
    }
    for person in &free {
        diary.note(*person, from, until);
    }
    free
}

fn demand(slot: &Slot, free: usize, dice: &mut Dice) -> usize {
    let seats = slot.row.seats;
    if slot.row.hot {
        return seats + 1 + dice.below(5);
    }
    let share = (free * (45 + dice.below(41))).div_ceil(100);
    // Now and then a meetup nobody thought much of fills up as well.
    let surprise = usize::from(slot.is_past() && share >= seats) * (1 + dice.below(2));
    share.min(seats) + surprise
}

// The second account goes to most things it may go to, and waits in line for exactly one.
fn place_guest(
    free: &mut Vec<usize>,
    slot: &Slot,
    wanted: usize,
    diary: &mut Diary,
    dice: &mut Dice,
) {
    let Some(at) = free.iter().position(|person| *person == GUEST) else {
        return;
    };
    free.remove(at);
    let seats = slot.row.seats;
    if slot.row.hot && !diary.guest_waits && wanted > seats && free.len() > seats {
        // Second in line where two wait, so that its position is worth showing.
        free.insert((seats + 1).min(wanted - 1).min(free.len()), GUEST);
        diary.guest_waits = true;
    } else if dice.chance(75) {
        free.insert(free.len().min(2), GUEST);
    }
}

fn parse(line: &'static str) -> Option<Row> {
    let mut fields = line.split('\t');
    Some(Row {
        key: fields.next()?,
        weekend: fields.next()? == "WEEKEND",
        hour: fields.next()?.parse().ok()?,
        length: fields.next()?.parse().ok()?,
        seats: fields.next()?.parse().ok()?,
        hot: fields.next()? == "HOT",
        title: fields.next()?,
        place: fields.next()?,
        description: fields.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_finds_its_gathering() {
        let gatherings = super::super::gatherings::gatherings();
        let plans = schedules_before_saturday(&gatherings, 0);
        assert_eq!(plans.len(), TABLE.lines().count());
        assert_eq!(plans, schedules_before_saturday(&gatherings, 0));
    }

    #[test]
    fn weekend_meetups_are_on_weekends_whatever_day_it_is() {
        let gatherings = super::super::gatherings::gatherings();
        let weekend: Vec<bool> = TABLE.lines().filter_map(parse).map(|row| row.weekend).collect();
        for to_saturday in 0..7 {
            let plans = schedules_before_saturday(&gatherings, to_saturday);
            for (plan, weekend) in plans.iter().zip(&weekend) {
                let weekday = (plan.starts_in_hours.div_euclid(24) - to_saturday).rem_euclid(7);
                assert_eq!(weekday <= 1, *weekend, "{plan:?}");
            }
        }
    }
}
