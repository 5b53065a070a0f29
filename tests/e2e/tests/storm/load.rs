//! People who ask the wide query one after another, and what they were answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use moim_kit::task::{Scoped, scoped};
use tokio::time::{Instant, sleep};

use crate::scene::Scene;
use crate::wide::{Verdict, WIDE};

/// One answer.
#[derive(Clone, Debug)]
pub struct Answered {
    pub asked: Instant,
    pub took: Duration,
    pub verdict: Verdict,
}

/// People who ask until they are told to stop.
pub struct Load {
    answers: Arc<Mutex<Vec<Answered>>>,
    over: Arc<AtomicBool>,
    people: Vec<Scoped<()>>,
}

impl Load {
    /// So many people, each with a pause between answer and question.
    pub fn of(scene: &Scene, people: usize, pause: Duration, down: &[&'static str]) -> Self {
        let (answers, over) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicBool::new(false)));
        let person = |nth: usize| {
            let client = scene.sessions[nth % scene.sessions.len()].clone();
            let (variables, healthy) = (scene.variables.clone(), scene.healthy.clone());
            let (answers, over, down) = (Arc::clone(&answers), Arc::clone(&over), down.to_vec());
            scoped(async move {
                while !over.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    let answer = client.send(WIDE, variables.clone()).await;
                    let took = asked.elapsed();
                    let verdict = match answer.status {
                        200 => healthy.judge(&answer.body, &down),
                        status => Verdict::Wrong(format!("{status}: {}", answer.body)),
                    };
                    answers.lock().unwrap().push(Answered { asked, took, verdict });
                    sleep(pause).await;
                }
            })
        };
        let people = (0..people).map(person).collect();
        Self { answers, over, people }
    }

    /// Waits until this many answers, asked for after an instant, came one after another with this verdict; when the
    /// first of them was there. Fails after a generous while.
    pub async fn until(&self, since: Instant, verdict: &Verdict, times: usize) -> Instant {
        let due = Instant::now() + Duration::from_secs(30);
        loop {
            let recent: Vec<_> = self.since(since);
            let run = recent.iter().rev().take_while(|answer| answer.verdict == *verdict).count();
            if run >= times {
                let first = &recent[recent.len() - run];
                return first.asked + first.took;
            }
            assert!(Instant::now() < due, "never {verdict:?}, but {:#?}", recent.last());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// What was asked since an instant and answered by now, in the order of answers.
    pub fn since(&self, since: Instant) -> Vec<Answered> {
        let answers = self.answers.lock().unwrap();
        answers.iter().filter(|answer| answer.asked >= since).cloned().collect()
    }

    /// Lets everybody have their last answer; all that came.
    pub async fn stop(self) -> Vec<Answered> {
        self.over.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await.unwrap();
        }
        Arc::try_unwrap(self.answers).unwrap().into_inner().unwrap()
    }
}

/// The slowest of some answers.
pub fn slowest(answers: &[Answered]) -> Duration {
    answers.iter().map(|answer| answer.took).max().unwrap_or_default()
}

/// Fails naming an answer that is neither whole nor short of the expected fields alone.
pub fn expect_no_wrong(answers: &[Answered]) {
    let wrong: Vec<_> =
        answers.iter().filter(|answer| matches!(answer.verdict, Verdict::Wrong(_))).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} answers, first {:#?}",
        wrong.len(),
        answers.len(),
        wrong[0]
    );
}
