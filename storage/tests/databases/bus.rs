//! Over a real NATS: nothing lost and nothing doubled, whatever happens to the bus or to what is on it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use moim_kit::bus::Seal;
use moim_kit::task::Tasks;
use moim_storage::{args, replay};
use moim_testbed::{Bed, Nats, on_both_databases};
use uuid::Uuid;

use crate::line::{Line, SECRET, some_notes};
use crate::note::{Copier, MIGRATIONS, NOTE, begin, copied, effects, follow, state, until};

on_both_databases! {
    async fn while_the_bus_is_down_work_goes_on_and_arrives_afterwards(bed: Bed) {
        let Some(mut line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&notes, 3).await;
        line.equal().await;
        for end in [Nats::stop, Nats::kill] {
            end(line.nats());
            line.write(&notes, 3).await;
            line.nats().start_again().await;
            line.write(&notes, 3).await;
            line.equal().await;
        }
    }

    async fn a_bus_that_lost_everything_is_filled_again(bed: Bed) {
        let Some(mut line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&notes, 4).await;
        line.equal().await;
        line.nats().kill();
        line.write(&notes, 2).await;
        line.nats().wipe();
        line.nats().start_again().await;
        line.write(&notes, 2).await;
        line.equal().await;
        // Who listens only now hears everything from the bus, as if nothing had happened to it.
        let late = Bed::sqlite();
        let copy = late.ground("late", &MIGRATIONS).await;
        follow(&copy, line.log().await, Arc::default(), &late.tasks);
        until(async || copied(&copy).await == copied(&line.copy).await).await;
    }

    async fn a_replay_tells_everything_again_and_changes_nothing(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 4).await;
        line.equal().await;
        let before = effects(&line.copy).await;
        replay(&line.owner.db).await.unwrap();
        let again = "SELECT position FROM bus_cursor WHERE epoch > 0";
        until(async || {
            let at = line.owner.db.fetch_optional::<(i64,)>(again, args![]).await.unwrap();
            at.is_some_and(|(position,)| position == 40)
        })
        .await;
        line.write(&some_notes(), 1).await;
        line.equal().await;
        assert_eq!(effects(&line.copy).await.len(), before.len() + 5);
    }

    async fn what_is_no_fact_of_the_house_is_put_aside(bed: Bed) {
        let Some(mut line) = Line::lay(bed).await else { return };
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.write(&some_notes(), 1).await;
        line.equal().await;
        let client = async_nats::connect(line.nats().url()).await.unwrap();
        let subject = || format!("moim.note.v1.event.{}", Uuid::now_v7());
        client.publish(subject(), "nonsense".into()).await.unwrap();
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Moim-Signature", Seal::new(SECRET).sign(b"\xff\xff"));
        client.publish_with_headers(subject(), headers, b"\xff\xff".to_vec().into()).await.unwrap();
        let mut tx = begin(&line.owner).await;
        let long_ago = line.owner.clock.now().before(Duration::from_secs(6 * 24 * 3_600));
        tx.tell_event(NOTE, Uuid::now_v7(), 1, None, &state("old"), "", long_ago);
        line.copy.clock.set(line.copy.clock.now().after(Duration::from_secs(10 * 24 * 3_600)));
        tx.commit().await.unwrap();
        until(async || line.dead("FACT_FOREIGN").await == 1).await;
        until(async || line.dead("FACT_UNDECODABLE").await == 1).await;
        until(async || line.dead("FACT_ANCIENT").await == 1).await;
    }

    async fn a_poisoned_fact_is_put_aside_and_others_go_on(bed: Bed) {
        let Some(line) = Line::lay(bed).await else { return };
        let notes = some_notes();
        let handler = Arc::new(Copier { failures_left: u32::MAX.into(), ..Copier::default() });
        *handler.poison.lock().unwrap() = Some((notes[0], 1));
        line.hear(&handler, &line.copy_bed.tasks).await;
        line.write(&notes, 1).await;
        until(async || line.dead("FACT_FAILED").await == 1).await;
        assert_eq!(handler.failed.load(Ordering::SeqCst), 5, "it was tried five times");
        until(async || copied(&line.copy).await.len() == 4).await;
        // A newer state takes the dead one's place, and the events that waited for it are heard.
        line.write(&notes, 1).await;
        line.equal().await;
        assert_eq!(line.dead("FACT_FAILED").await, 0);
    }

    async fn who_goes_keeps_nothing_that_was_sent_to_it(bed: Bed) {
        let Some(mut line) = Line::lay(bed).await else { return };
        // Nobody waits so long for a delivery to come again.
        line.redeliver_ms = 3_600_000;
        let (notes, tasks) = (some_notes(), Tasks::new());
        line.hear(&Arc::default(), &tasks).await;
        line.write(&notes, 2).await;
        line.equal().await;
        let leave = async {
            until(async || copied(&line.copy).await.iter().any(|note| note.2 > 4)).await;
            tasks.leave(Duration::ZERO, Duration::from_secs(60)).await;
        };
        tokio::join!(line.write(&notes, 40), leave);
        line.hear(&Arc::default(), &line.copy_bed.tasks).await;
        line.equal().await;
    }
}
