//! Which harm comes when: everything at even distances over the changes, each sort of it to each replica in turn.

use super::Size;

/// Harm that a storm does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// To a replica of this number.
    Replica(usize, Harm),
    /// An owner is killed.
    Owner(&'static str),
    /// The bus is killed, and robbed of what it remembers or not.
    Bus { wiped: bool },
}

/// Harm to a search room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// It is killed wherever it is.
    Kill,
    /// It is lost in a commit of its index, at this point.
    InCommit(&'static str),
    /// Its words change, and it is lost over and over while it builds the new index.
    InRebuild,
    /// It is killed, and its index damaged.
    Damage,
    /// It is killed, and its directory is gone.
    Rob,
}

const HARMS: [Harm; 7] = [
    Harm::Kill,
    Harm::InCommit("index_prepared"),
    Harm::InRebuild,
    Harm::InCommit("index_committed"),
    Harm::Damage,
    Harm::Kill,
    Harm::Rob,
];
const OWNERS: [&str; 3] = ["gathering", "schedule", "member"];

/// All the blows of a storm, in order.
pub fn blows(size: Size) -> Vec<Blow> {
    let mut timed = Vec::new();
    let mut spread = |count: usize, offset: usize, blow: &dyn Fn(usize) -> Blow| {
        for number in 0..count {
            // Where in the storm, in parts of a million.
            timed.push(((2 * number + 1) * 500_000 / count + offset, blow(number)));
        }
    };
    spread(size.blows, 0, &|number| Blow::Replica(number % 2, HARMS[number / 2 % HARMS.len()]));
    spread(size.owners, 1, &|number| Blow::Owner(OWNERS[number % OWNERS.len()]));
    spread(size.restarts, 2, &|number| Blow::Bus { wiped: number + 1 == size.restarts });
    timed.sort_by_key(|it| it.0);
    timed.into_iter().map(|it| it.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_harm_comes_to_every_replica_and_the_bus_is_wiped_last() {
        let size = Size { changes: 1, writers: 1, blows: 14, owners: 3, restarts: 2 };
        let blows = blows(size);
        for replica in 0..2 {
            for harm in HARMS {
                assert!(blows.contains(&Blow::Replica(replica, harm)));
            }
        }
        assert_eq!(blows.len(), 19);
        let bus: Vec<_> = blows.iter().filter(|it| matches!(it, Blow::Bus { .. })).collect();
        assert_eq!(bus, [&Blow::Bus { wiped: false }, &Blow::Bus { wiped: true }]);
    }
}
