//! The documents of each replica's index held against the tables of their owners.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use moim_e2e::Process;
use sqlx::PgPool;

/// Data directories of the replicas.
pub const REPLICAS: [&str; 2] = ["data", "other-data"];
const LIST_WITHIN: Duration = Duration::from_secs(60);

/// What can be found, as its owners have it: a line each of noun, id, version, category and region, as the index is
/// listed. Schedules follow their gathering.
const OWNED: &str = "
WITH placed AS (
  SELECT id, version,
    array_position(ARRAY['ARTS', 'BOOKS', 'COOKING', 'CULTURE', 'GAMES', 'LANGUAGE', 'MUSIC', 'OUTDOORS', 'PETS',
      'SOCIAL', 'SPORTS', 'STUDY', 'TRAVEL', 'VOLUNTEERING'], category) || ' ' || region_code AS place
  FROM gathering.gathering)
SELECT 'gathering ' || id || ' ' || version || ' ' || place FROM placed
UNION ALL
SELECT 'schedule ' || s.id || ' ' || s.version || ' ' || g.place
FROM schedule.schedule AS s JOIN placed AS g ON g.id = s.gathering_id WHERE s.cancelled_at_us IS NULL
UNION ALL
SELECT 'member ' || id || ' ' || version || ' - -' FROM member.member";

/// Noun and id, with version and place.
type Documents = BTreeMap<(String, String), (i64, String)>;

/// How the replicas compare with the owners.
pub struct Comparison(Vec<Difference>);

#[derive(Default)]
struct Difference {
    replica: &'static str,
    noun: String,
    owned: usize,
    found: usize,
    missing: usize,
    /// Deleted or never there, or there twice.
    surplus: usize,
    older: usize,
    newer: usize,
    /// Of the right version in a wrong category or region.
    misplaced: usize,
    /// One that is wrong.
    such_as: String,
}

/// Compares each replica with the owners as both are now.
pub async fn compare(pool: &PgPool, directory: &Path) -> Comparison {
    let rows: Vec<(String,)> = sqlx::query_as(OWNED).fetch_all(pool).await.unwrap();
    let (owned, twice) = documents(rows.iter().map(|it| it.0.as_str()));
    assert!(twice.is_empty(), "owners have ids twice: {twice:?}");
    let mut all = Vec::new();
    for replica in REPLICAS {
        let listed = list(directory, replica).await;
        let (found, twice) = documents(listed.lines());
        for noun in ["gathering", "schedule", "member"] {
            let twice = twice.iter().filter(|it| it.0 == noun).count();
            all.push(difference(replica, noun, &owned, &found, twice));
        }
    }
    Comparison(all)
}

/// What an index holds, as its operator would be told; nothing while it cannot be read.
async fn list(directory: &Path, data: &str) -> String {
    let arguments = ["search", "list", "--data", data];
    let mut process = Process::start("list", directory, &arguments, &[]);
    process.end_within(LIST_WITHIN).await;
    process.stdout()
}

fn documents<'a>(lines: impl Iterator<Item = &'a str>) -> (Documents, Vec<(String, String)>) {
    let (mut all, mut twice) = (Documents::new(), Vec::new());
    for line in lines {
        let [noun, id, version, category, region] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not a document: {line}");
        };
        let key = (noun.to_owned(), id.to_owned());
        let place = format!("{category} {region}");
        if all.insert(key.clone(), (version.parse().unwrap(), place)).is_some() {
            twice.push(key);
        }
    }
    (all, twice)
}

fn difference(
    replica: &'static str,
    noun: &str,
    owned: &Documents,
    found: &Documents,
    twice: usize,
) -> Difference {
    let mut out =
        Difference { replica, noun: noun.to_owned(), surplus: twice, ..Difference::default() };
    for (key, (version, place)) in owned.iter().filter(|it| it.0.0 == noun) {
        out.owned += 1;
        let wrong = match found.get(key) {
            None => &mut out.missing,
            Some((other, _)) if other < version => &mut out.older,
            Some((other, _)) if other > version => &mut out.newer,
            Some((_, other)) if other != place => &mut out.misplaced,
            Some(_) => continue,
        };
        *wrong += 1;
        out.such_as = format!("{} {version} {place}, found {:?}", key.1, found.get(key));
    }
    for (key, it) in found.iter().filter(|it| it.0.0 == noun) {
        out.found += 1;
        if !owned.contains_key(key) {
            out.surplus += 1;
            out.such_as = format!("{} found {it:?}", key.1);
        }
    }
    out
}

impl Comparison {
    /// Every replica holds what the owners have.
    pub fn is_exact(&self) -> bool {
        self.0.iter().all(|it| it.such_as.is_empty() && it.surplus == 0 && it.owned == it.found)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for it in &self.0 {
            let what = format!("{}s in {}", it.noun, it.replica);
            let Difference { owned, found, missing, surplus, older, newer, misplaced, .. } = it;
            write!(
                f,
                "{what:<24} {found:>6} of {owned:>6}: missing {missing}, surplus {surplus}, older \
                 {older}, newer {newer}, misplaced {misplaced}"
            )?;
            if !it.such_as.is_empty() {
                write!(f, " (such as {})", it.such_as)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
