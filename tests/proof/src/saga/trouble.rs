//! What goes wrong beside crashes: a room that stops past every limit and goes on, one that is away so long,
//! and facts that are told again.

use futures::future::join;
use tokio::time::sleep;

use super::episode::{Losses, Meetup, Outcome};
use super::stage::{Cast, Stage, attend};
use super::{HOLD, LIMIT};

/// What is done to whom.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    PaymentStops,
    PaymentIsAway,
    ScheduleStops,
    ScheduleIsAway,
    ToldAgain,
}

pub const TROUBLES: [Trouble; 5] = [
    Trouble::PaymentStops,
    Trouble::PaymentIsAway,
    Trouble::ScheduleStops,
    Trouble::ScheduleIsAway,
    Trouble::ToldAgain,
];

impl Trouble {
    /// The others take as long and are as these.
    pub fn is_for_every_run(self) -> bool {
        matches!(self, Self::PaymentIsAway | Self::ScheduleStops | Self::ToldAgain)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::PaymentStops => "payment stopped past the limit, then continued",
            Self::PaymentIsAway => "payment dead past the limit, then started",
            Self::ScheduleStops => "schedule stopped past the limit, then continued",
            Self::ScheduleIsAway => "schedule dead past the limit, then started",
            Self::ToldAgain => "both rooms tell everything again, three times",
        }
    }
}

impl Stage {
    /// Everybody signs up while it happens.
    pub async fn meet(&mut self, trouble: Trouble) -> Outcome {
        let meetup = self.cast.prepare().await;
        let mut losses = Losses::default();
        match trouble {
            Trouble::PaymentStops => {
                self.platform.room("payment").freeze();
                come(&self.cast, &meetup).await;
                sleep(LIMIT).await;
                losses.mend();
                self.platform.room("payment").thaw();
            }
            Trouble::PaymentIsAway => {
                self.platform.room("payment").kill();
                losses.kills += 1;
                come(&self.cast, &meetup).await;
                sleep(LIMIT).await;
                losses.mend();
                self.platform.room("payment").start_again();
            }
            // The money is taken only once the schedule room cannot say what becomes of the seat.
            Trouble::ScheduleStops | Trouble::ScheduleIsAway => {
                self.platform.room("payment").freeze();
                come(&self.cast, &meetup).await;
                // What was told so far has left the room.
                sleep(HOLD / 4).await;
                let dies = matches!(trouble, Trouble::ScheduleIsAway);
                let schedule = self.platform.room("schedule");
                if dies {
                    schedule.kill();
                    losses.kills += 1;
                } else {
                    schedule.freeze();
                }
                self.platform.room("payment").thaw();
                sleep(LIMIT).await;
                losses.mend();
                let schedule = self.platform.room("schedule");
                if dies {
                    schedule.start_again();
                } else {
                    schedule.thaw();
                }
            }
            Trouble::ToldAgain => {
                let again = async {
                    for _ in 0..3 {
                        self.platform.replay("schedule").await;
                        self.platform.replay("payment").await;
                    }
                };
                join(come(&self.cast, &meetup), again).await;
            }
        }
        meetup.finish(&self.cast).await;
        self.cast.outcome(&[&meetup.seated, &meetup.lined], &losses).await
    }
}

async fn come(cast: &Cast, meetup: &Meetup) {
    let (first, second) = cast.halves();
    join(attend(first, &meetup.seated), attend(second, &meetup.lined)).await;
}
