//! Everything the small town consists of: people, gatherings and meetups, the same on every start.

pub use super::chats::{ChatPlan, chats};
pub use super::gatherings::{GatheringPlan, TOWN_SIZE, gatherings};
pub use super::people::{Person, people};
pub use super::reviews::ReviewPlan;
pub use super::schedules::{SchedulePlan, schedules_before_saturday};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const DAY: i64 = 24;

    fn towns() -> Vec<(Vec<GatheringPlan>, Vec<SchedulePlan>)> {
        (0..7)
            .map(|to_saturday| {
                let gatherings = gatherings();
                let schedules = schedules_before_saturday(&gatherings, to_saturday);
                (gatherings, schedules)
            })
            .collect()
    }

    fn has_waitlist(plan: &SchedulePlan) -> bool {
        plan.attendees.len() > plan.capacity as usize
    }

    #[test]
    fn the_town_is_large_enough() {
        assert!(people(TOWN_SIZE).len() >= 300);
        for (gatherings, schedules) in towns() {
            assert!(gatherings.len() >= 64);
            assert!(schedules.len() >= 210);
        }
    }

    #[test]
    fn meetups_lie_within_sixty_days_and_are_wholly_past_or_future() {
        for (_, schedules) in towns() {
            for plan in &schedules {
                let (start, end) = (plan.starts_in_hours, plan.starts_in_hours + plan.length_hours);
                assert!((-60 * DAY..60 * DAY).contains(&start), "{plan:?}");
                assert!(end <= 0 || start >= DAY, "{plan:?}");
                assert!(plan.length_hours >= 1, "{plan:?}");
            }
            let past = schedules.iter().filter(|p| p.starts_in_hours < 0).count();
            assert!(past >= 80 && schedules.len() - past >= 80, "{past}");
        }
    }

    #[test]
    fn texts_and_seats_keep_their_limits() {
        let (_, schedules) = towns().remove(0);
        for plan in &schedules {
            assert!((2..=60).contains(&plan.title.chars().count()), "{plan:?}");
            assert!((1..=2_000).contains(&plan.description.chars().count()), "{plan:?}");
            assert!((1..=100).contains(&plan.place.chars().count()), "{plan:?}");
            assert!((1..=1_000).contains(&plan.capacity), "{plan:?}");
        }
        let texts: HashSet<_> = schedules.iter().map(|plan| &plan.description).collect();
        assert_eq!(texts.len(), schedules.len());
    }

    #[test]
    fn only_active_members_and_the_host_come_each_once() {
        for (gatherings, schedules) in towns() {
            for plan in &schedules {
                let gathering = &gatherings[plan.gathering];
                let mut seen = HashSet::new();
                for person in &plan.attendees {
                    assert!(seen.insert(*person), "{plan:?}");
                    assert!(
                        *person == gathering.host || gathering.members.contains(person),
                        "{plan:?}"
                    );
                }
                assert!(!plan.attendees.is_empty(), "{plan:?}");
            }
        }
    }

    #[test]
    fn nobody_is_in_two_places_at_once() {
        for (_, schedules) in towns() {
            for person in 0..TOWN_SIZE {
                let mut hours: Vec<(i64, i64)> = schedules
                    .iter()
                    .filter(|plan| plan.attendees.contains(&person))
                    .map(|p| (p.starts_in_hours, p.starts_in_hours + p.length_hours))
                    .collect();
                hours.sort_unstable();
                assert!(hours.windows(2).all(|pair| pair[0].1 < pair[1].0), "{person}: {hours:?}");
            }
        }
    }

    #[test]
    fn attendance_is_recorded_for_seats_of_the_past_only() {
        let (_, schedules) = towns().remove(0);
        for plan in &schedules {
            let seated = plan.attendees.len().min(plan.capacity as usize);
            let recorded = if plan.starts_in_hours < 0 { seated } else { 0 };
            assert_eq!(plan.came.len(), recorded, "{plan:?}");
        }
        let came: Vec<bool> = schedules.iter().flat_map(|p| p.came.clone()).collect();
        let absent = came.iter().filter(|came| !**came).count();
        assert!(absent > 0 && absent * 5 < came.len(), "{absent}");
    }

    #[test]
    fn some_future_meetups_have_a_waitlist_and_most_have_room() {
        for (_, schedules) in towns() {
            let future: Vec<_> =
                schedules.iter().filter(|p| p.starts_in_hours > 0).cloned().collect();
            let waiting = future.iter().filter(|plan| has_waitlist(plan)).count();
            assert!(waiting >= 15, "{waiting}");
            assert!(future.len() - waiting >= 30, "{waiting} of {}", future.len());
        }
    }

    #[test]
    fn the_second_account_goes_to_some_and_waits_for_one() {
        let (_, schedules) = towns().remove(0);
        let places: Vec<(bool, bool)> = schedules
            .iter()
            .filter(|plan| plan.starts_in_hours > 0)
            .filter_map(|plan| {
                let at = plan.attendees.iter().position(|person| *person == 1)?;
                Some((at < plan.capacity as usize, has_waitlist(plan)))
            })
            .collect();
        assert!(places.iter().filter(|(seated, _)| *seated).count() >= 3);
        assert_eq!(places.iter().filter(|(seated, _)| !*seated).count(), 1);
    }
}
