//! The index keeps the newest state, goes on where it stopped, and is built anew when it must.

use std::fs;
use std::sync::Arc;

use moim_search::{Analyzer, Document, Filter, Kind, Shelf, begin, open_index, swap, within};
use uuid::Uuid;

use crate::stage::Stage;

fn gathering(number: u128, title: &str) -> Document {
    Document::new(Kind::Gathering, Uuid::from_u128(number), title)
}

fn documents(shelf: &Shelf) -> u64 {
    shelf.searcher().num_docs()
}

#[test]
fn a_newer_state_takes_the_place_of_an_older_one() {
    let stage = Stage::with(&[gathering(1, "등산 모임"), gathering(2, "독서 모임")]);
    stage.shelf.put(&gathering(1, "수영 모임")).unwrap();
    stage.shelf.commit(3).unwrap();
    assert_eq!(documents(&stage.shelf), 2);
    assert_eq!(stage.find("등산", &Filter::default(), 5).total, 0);
    assert_eq!(stage.find("수영", &Filter::default(), 5).total, 1);
    stage.shelf.remove(Kind::Gathering, Uuid::from_u128(1)).unwrap();
    // Another kind of thing with the same id is another thing.
    stage.shelf.remove(Kind::Schedule, Uuid::from_u128(2)).unwrap();
    stage.shelf.commit(4).unwrap();
    assert_eq!(documents(&stage.shelf), 1);
}

#[test]
fn it_goes_on_from_what_the_last_commit_covered() {
    let stage = Stage::with(&[gathering(1, "등산 모임")]);
    // Never committed: as if the process had died here.
    stage.shelf.put(&gathering(2, "독서 모임")).unwrap();
    let directory = stage.close();
    let opened = open_index(directory.path(), &Arc::new(Analyzer::new())).unwrap();
    let shelf = opened.current.unwrap();
    assert!(opened.next.is_none());
    assert_eq!((shelf.covered(), documents(&shelf)), (1, 1));
}

#[test]
fn other_words_make_another_index_that_is_swapped_in_when_it_is_done() {
    let directory = Stage::with(&[gathering(1, "등산 모임")]).close();
    let analyzer = Arc::new(Analyzer::try_new("산행, 등산", "", "").unwrap());
    let opened = open_index(directory.path(), &analyzer).unwrap();
    // What there is goes on being searched meanwhile.
    assert_eq!(documents(&opened.current.unwrap()), 1);
    let next = opened.next.unwrap();
    assert_eq!((next.covered(), documents(&next)), (0, 0));
    next.put(&gathering(1, "등산 모임")).unwrap();
    next.commit(1).unwrap();
    drop(next);
    // It died before the swap: what was built so far is not lost.
    let next = open_index(directory.path(), &analyzer).unwrap().next.unwrap();
    assert_eq!(next.covered(), 1);
    swap(directory.path(), &next).unwrap();
    drop(next);
    let opened = open_index(directory.path(), &analyzer).unwrap();
    assert_eq!(opened.current.unwrap().covered(), 1);
    assert!(opened.next.is_none());
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 2, "the one before is gone");
}

#[test]
fn a_second_index_is_built_beside_the_one_that_is_searched() {
    let stage = Stage::with(&[gathering(1, "등산 모임")]);
    let analyzer = Arc::new(Analyzer::new());
    let next = begin(stage.root(), &analyzer).unwrap();
    assert_ne!(next.path(), stage.shelf.path());
    assert_eq!(documents(&stage.shelf), 1);
}

#[test]
fn a_torn_directory_is_built_anew() {
    let tears: [fn(&std::path::Path); 7] = [
        |path| fs::remove_file(path.join(".managed.json")).unwrap(),
        |path| fs::write(path.join(".managed.json"), "[").unwrap(),
        |path| fs::remove_dir_all(path).unwrap(),
        |path| fs::write(path.join("meta.json"), "{").unwrap(),
        |path| fs::remove_file(path.join("meta.json")).unwrap(),
        |path| fs::remove_file(path.join("fingerprint")).unwrap(),
        |path| {
            let files = fs::read_dir(path).unwrap().map(|it| it.unwrap().path());
            let is_part = |it: &std::path::PathBuf| it.extension().is_some_and(|it| it == "term");
            let part = files.into_iter().find(is_part).unwrap();
            let mut bytes = fs::read(&part).unwrap();
            bytes[3] ^= 0xFF;
            fs::write(part, bytes).unwrap();
        },
    ];
    for (number, tear) in tears.into_iter().enumerate() {
        let stage = Stage::with(&[gathering(1, "등산 모임")]);
        let path = stage.shelf.path().to_owned();
        let directory = stage.close();
        tear(&path);
        let opened = open_index(directory.path(), &Arc::new(Analyzer::new())).unwrap();
        assert!(opened.current.is_none(), "tear {number}");
        assert_eq!(opened.next.unwrap().covered(), 0, "tear {number}");
    }
}

#[test]
fn an_index_ahead_of_its_rows_is_built_anew() {
    let analyzer = Arc::new(Analyzer::new());
    let opened = |directory: &std::path::Path, newest| {
        within(directory, &analyzer, open_index(directory, &analyzer).unwrap(), newest).unwrap()
    };
    let directory = Stage::with(&[gathering(1, "등산 모임"), gathering(2, "독서 모임")]).close();
    // The newest number of the rows it was made from.
    let sound = opened(directory.path(), 2);
    assert_eq!((sound.current.unwrap().covered(), sound.next.is_none()), (2, true));
    // The rows were put back to an earlier day.
    let anew = opened(directory.path(), 1);
    assert!(anew.current.is_none());
    assert_eq!(anew.next.unwrap().covered(), 0);
}

#[test]
fn a_write_that_failed_is_made_up_for() {
    let stage = Stage::with(&[gathering(1, "등산 모임")]);
    let (place, away) = (stage.shelf.path().to_owned(), stage.root().join("away"));
    // As when the disk is full: nothing can be written for a while.
    fs::rename(&place, &away).unwrap();
    let put = |number| stage.shelf.put(&gathering(number, "독서 모임"));
    assert!(put(2).is_err() || stage.shelf.commit(2).is_err());
    fs::rename(&away, &place).unwrap();
    stage.shelf.recover().unwrap();
    assert_eq!((stage.shelf.covered(), documents(&stage.shelf)), (1, 1));
    put(2).unwrap();
    stage.shelf.commit(2).unwrap();
    assert_eq!((stage.shelf.covered(), documents(&stage.shelf)), (2, 2));
}
