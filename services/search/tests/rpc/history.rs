//! What an index answers depends on what stands in it, not on how it came about: replicas have the same things in
//! other segments, with other deleted documents among them.

use moim_search::{Document, Filter, Kind};
use uuid::Uuid;

use crate::stage::Stage;

fn document(number: u128, title: &str, text: &str) -> Document {
    let id = Uuid::from_u128(number);
    let text = text.to_owned();
    Document { text, size: 3, ..Document::new(Kind::Gathering, id, title) }
}

/// What stands in both in the end.
fn standing() -> Vec<Document> {
    let hobbies = ["등산", "독서", "뜨개질", "자전거", "수영"];
    let place = ["마포 강변", "관악산 아래", "도서관 뒤"];
    (0..60u128)
        .map(|number| {
            let at = usize::try_from(number).unwrap();
            let (hobby, place) = (hobbies[at % hobbies.len()], place[at % place.len()]);
            document(number, &format!("{hobby} 모임 {number}"), &place.repeat(1 + at % 4))
        })
        .collect()
}

/// An index that has seen more than stands in it.
fn grown() -> Stage {
    let stage = Stage::with(&[]);
    let all = standing();
    for (round, word) in ["보드게임", "독서", "와인 시음"].into_iter().enumerate() {
        for number in (0..90u128).filter(|it| it % 3 != round as u128) {
            let text = "더 긴 소개를 예전에 적어 두었습니다. ".repeat(1 + round);
            stage.shelf.put(&document(number, &format!("{word} {number}"), &text)).unwrap();
        }
        stage.shelf.commit(1).unwrap();
    }
    for (at, document) in all.iter().enumerate().rev() {
        stage.shelf.put(document).unwrap();
        if at % 17 == 0 {
            stage.shelf.commit(2).unwrap();
        }
    }
    (60..90u128).for_each(|it| stage.shelf.remove(Kind::Gathering, Uuid::from_u128(it)).unwrap());
    stage.shelf.commit(3).unwrap();
    stage
}

/// Everything that somebody who searches is told.
fn told(stage: &Stage, query: &str) -> String {
    let found = stage.find(query, &Filter::default(), 30);
    let hits: Vec<_> = found.page.rows.iter().map(|it| (it.id, it.score, &it.highlights)).collect();
    format!("{} {:?} {hits:?}", found.total, found.corrected)
}

#[test]
fn two_indexes_of_the_same_things_answer_alike_whatever_they_held_before() {
    let (plain, grown) = (Stage::with(&standing()), grown());
    assert_eq!(plain.shelf.searcher().num_docs(), grown.shelf.searcher().num_docs());
    // Typos, beginnings and initial consonants ask which words there are.
    for query in [
        "등산",
        "독서 모임",
        "마포 자전거",
        "보드게임",
        "와인",
        "뜨게질",
        "자저거",
        "ㄷㅅ",
        "도서과",
        "관악산 수영",
        "모임 7",
    ] {
        assert_eq!(told(&plain, query), told(&grown, query), "{query}");
    }
}

#[test]
fn a_word_that_stands_nowhere_any_more_is_taken_for_a_near_one() {
    let stage = Stage::with(&[document(1, "수채화", ""), document(2, "수체화", "")]);
    // What is deleted stays in its segment beside what is not.
    stage.shelf.remove(Kind::Gathering, Uuid::from_u128(2)).unwrap();
    stage.shelf.commit(3).unwrap();
    let found = stage.find("수체화", &Filter::default(), 5);
    assert_eq!((found.total, found.corrected.as_deref()), (1, Some("수채화")));
}
