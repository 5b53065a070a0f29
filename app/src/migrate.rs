//! `moim migrate`: every database brought to the shape of this version, as a step of its own.

use anyhow::{Context as _, bail};
use moim_storage::{Db, Migrator};

use crate::config::Config;

/// Rooms whose databases all their processes share, and what makes them.
const MIGRATIONS: [(&str, &Migrator); 7] = [
    ("member", &moim_member::MIGRATIONS),
    ("gathering", &moim_gathering::MIGRATIONS),
    ("schedule", &moim_schedule::MIGRATIONS),
    ("payment", &moim_payment::MIGRATIONS),
    ("review", &moim_review::MIGRATIONS),
    ("chat", &moim_chat::MIGRATIONS),
    ("notification", &moim_notification::MIGRATIONS),
];

/// Migrates the rooms that are named, or all; tells what was done, a line for each.
pub async fn migrate(config: &Config, rooms: &[String]) -> anyhow::Result<String> {
    let shared = |room: &String| MIGRATIONS.iter().any(|(name, _)| name == room);
    if let Some(room) = rooms.iter().find(|room| !shared(room)) {
        bail!("the {room} room has no database that its processes share");
    }
    let mut told = String::new();
    for (room, migrations) in MIGRATIONS {
        if !rooms.is_empty() && !rooms.iter().any(|it| it == room) {
            continue;
        }
        let migrated = async {
            let db = Db::open(&config.storage, &config.house.data, room).await?;
            let migrated = moim_storage::migrate(&db, migrations).await;
            db.close().await;
            migrated
        };
        migrated.await.with_context(|| format!("the {room} room's database was not migrated"))?;
        told += &format!("The database of the {room} room is up to date.\n");
    }
    Ok(told)
}
