//! What is found, in which order, and how much an odd query may cost.

use moim_kit::Timestamp;
use moim_kit::page::{Cursor, PageArgs};
use moim_search::{Document, Filter, Kind, Openness, RESULTS};
use uuid::Uuid;

use crate::stage::{NOW, Stage};

const DAY_US: i64 = 86_400_000_000;

fn document(kind: Kind, number: u128, title: &str, text: &str) -> Document {
    let mut document = Document::new(kind, Uuid::from_u128(number), title);
    text.clone_into(&mut document.text);
    document
}

fn town() -> Vec<Document> {
    let texts = [
        (Kind::Gathering, "북한산 등산 모임", "주말마다 북한산에 오릅니다."),
        (Kind::Gathering, "하이킹 크루", "We go hiking on Sundays."),
        (Kind::Gathering, "퇴근 후 독서모임", "한 달에 한 권을 읽어요."),
        (Kind::Gathering, "독서 클럽", "고전을 읽습니다."),
        (Kind::Gathering, "마포 배드민턴", "초보 환영"),
        (Kind::Gathering, "댕댕이 산책", "반려견과 함께"),
        (Kind::Gathering, "고양시 자전거", "호수공원을 돕니다"),
        (Kind::Gathering, "고양이 집사들", "길냥이도 돌봐요"),
        (Kind::Schedule, "한강러닝", "5km를 천천히"),
        (Kind::Member, "등산왕", "매주 산에 갑니다"),
    ];
    let numbered = (1..).zip(texts);
    let mut town: Vec<_> =
        numbered.map(|(number, (kind, title, text))| document(kind, number, title, text)).collect();
    for document in &mut town {
        document.category = Some(8);
        document.region_code = Some("11440".to_owned());
        "서울특별시 마포구".clone_into(&mut document.region_name);
    }
    town[8].starts_at = Some(NOW);
    town[8].ends_at = Some(Timestamp::from_us(NOW.us() + DAY_US));
    town[8].fee_krw = Some(5_000);
    town
}

fn first(query: &str) -> (String, Option<String>) {
    let town = town();
    let stage = Stage::with(&town);
    let found = stage.find(query, &Filter::default(), 5);
    (stage.titles(query, &town).into_iter().next().unwrap_or_default(), found.corrected)
}

#[test]
fn people_are_understood() {
    for (query, title, corrected) in [
        ("북한산에서", "북한산 등산 모임", None),
        ("하이낑", "하이킹 크루", Some("하이킹")),
        ("hikking", "하이킹 크루", Some("hiking")),
        ("베드민턴", "마포 배드민턴", None),
        ("배드민텬", "마포 배드민턴", Some("배드민턴")),
        ("강아지", "댕댕이 산책", None),
        ("독서 모임", "퇴근 후 독서모임", None),
        ("ㅎㄱㄹㄴ", "한강러닝", None),
        ("qoemalsxjs", "마포 배드민턴", Some("배드민턴")),
        ("hiking zmfn", "하이킹 크루", Some("hiking 크루")),
        ("5km fjsld", "한강러닝", Some("5km 러닝")),
        ("ㅇㅐㅎ", "댕댕이 산책", Some("dog")),
        ("북한ㅅ", "북한산 등산 모임", None),
        ("자저ㄴ", "고양시 자전거", None),
        ("ㄷㅡㅇㅅㅏㄴㅇㅗㅏㅇ", "등산왕", None),
        ("고양이", "고양이 집사들", None),
        ("고양", "고양시 자전거", None),
        ("한강 러닝", "한강러닝", None),
        ("ＨＩＫＩＮＧ", "하이킹 크루", None),
        ("등산왕", "등산왕", None),
    ] {
        let (found, instead) = first(query);
        assert_eq!((found.as_str(), instead.as_deref()), (title, corrected), "{query}");
    }
}

#[test]
fn a_word_that_means_something_is_taken_for_no_other_though_nothing_is_about_it() {
    let town = ["대사 따라 하기", "일주일 여행", "하루 일기"]
        .into_iter()
        .zip(1..)
        .map(|(title, number)| document(Kind::Gathering, number, title, ""));
    let stage = Stage::with(&town.collect::<Vec<_>>());
    for query in ["하키", "일요일"] {
        let found = stage.find(query, &Filter::default(), 5);
        assert_eq!((found.total, found.corrected), (0, None), "{query}");
    }
    // It is none that anybody gave.
    assert_eq!(stage.find("일주닐", &Filter::default(), 5).corrected.as_deref(), Some("일주일"));
}

#[test]
fn what_matched_is_marked_in_the_field_it_stands_in() {
    let stage = Stage::with(&town());
    let found = stage.find("강아지", &Filter::default(), 1);
    let marked: Vec<_> = found.page.rows[0]
        .highlights
        .iter()
        .map(|it| {
            let units: Vec<u16> = it.text.encode_utf16().collect();
            let words = it.ranges.iter().map(|it| String::from_utf16(&units[it.0..it.1]).unwrap());
            (it.field, words.collect::<Vec<_>>().join("+"))
        })
        .collect();
    assert_eq!(marked, [("title", "댕댕이 산책".to_owned()), ("description", "반려견".to_owned())]);
}

#[test]
fn filters_hold_for_the_kinds_they_apply_to() {
    let stage = Stage::with(&town());
    let total = |filter: Filter| stage.find("마포 등산 한강 러닝 하이킹", &filter, 10).total;
    let all = total(Filter::default());
    let none = |filter| assert!(total(filter) < all);
    none(Filter { category: Some(1), ..Filter::default() });
    none(Filter { region_code: Some("11680".to_owned()), ..Filter::default() });
    none(Filter { max_fee_krw: Some(4_999), ..Filter::default() });
    none(Filter { starts_until: Some(NOW), ..Filter::default() });
    none(Filter { starts_from: Some(Timestamp::from_us(NOW.us() + DAY_US)), ..Filter::default() });
    let fits = Filter {
        category: Some(8),
        region_code: Some("11440".to_owned()),
        max_fee_krw: Some(5_000),
        starts_from: Some(NOW),
        starts_until: Some(Timestamp::from_us(NOW.us() + 1)),
    };
    assert_eq!(total(fits), all);
}

#[test]
fn what_says_little_lifts_nothing_over_what_is_meant() {
    let town = [
        document(Kind::Gathering, 1, "귀명창 모임", "공연 전에 사설을 같이 읽어요"),
        document(Kind::Gathering, 2, "느리게 읽는 밤", "한 권을 두 달에 걸쳐 읽습니다"),
        document(Kind::Gathering, 3, "책벌레", "소설 반, 인문 반"),
        document(Kind::Gathering, 4, "체스 클럽", "한 판씩"),
    ];
    let stage = Stage::with(&town);
    for query in ["독서모임", "독서 모임", "독서 클럽", "북클럽", "독서 동호회"]
    {
        let found = stage.titles(query, &town);
        assert_eq!(found.last().unwrap(), "귀명창 모임", "{query}: {found:?}");
        assert_eq!(found.len(), 3, "{query}: {found:?}");
    }
    // By itself it says all there is.
    assert_eq!(stage.titles("클럽", &town), ["체스 클럽", "귀명창 모임"]);
}

#[test]
fn a_word_is_not_taken_for_what_it_ends_in_nor_for_what_it_may_mean_elsewhere() {
    let town = [
        document(Kind::Gathering, 1, "가죽공예 공방", "카드지갑부터"),
        document(Kind::Gathering, 2, "크래프트 맥주", "에일과 라거"),
        document(Kind::Gathering, 3, "AI 논문 읽기", "Transformer부터"),
        document(Kind::Gathering, 4, "한강 러닝", "정원 8명, 세 개 조"),
        document(Kind::Gathering, 5, "댕댕이 산책", "푸들 환영"),
        document(Kind::Gathering, 6, "꽃 심는 가드닝", "마당에서"),
    ];
    let stage = Stage::with(&town);
    for (query, first, count) in [
        ("레더크래프트", "가죽공예 공방", 1),
        ("머신러닝", "AI 논문 읽기", 1),
        ("가드닝", "꽃 심는 가드닝", 1),
        ("강아지", "댕댕이 산책", 1),
    ] {
        let found = stage.titles(query, &town);
        assert_eq!((found[0].as_str(), found.len()), (first, count), "{query}: {found:?}");
    }
    // A garden or how many may come, a dog or how many there are: what is about it comes first.
    for (query, meant) in [("정원", "꽃 심는 가드닝"), ("개", "댕댕이 산책")] {
        let found = stage.titles(query, &town);
        assert_eq!((found[0].as_str(), found.len()), (meant, 2), "{query}: {found:?}");
    }
}

#[test]
fn members_come_behind_what_there_is_to_go_to_unless_they_are_named_so() {
    let town = [
        document(Kind::Member, 1, "독서광", "독서모임에 나갑니다"),
        document(Kind::Member, 2, "독서모임장", "책을 좋아해요"),
        document(Kind::Gathering, 3, "퇴근하고 가는 마포 독서모임", "한 달에 한 권을 읽어요"),
        document(Kind::Schedule, 4, "책갈피 12월 독서모임 송년회", "공덕역 카페"),
        document(Kind::Gathering, 5, "느린 독서 모임", "두 달에 한 권"),
        document(Kind::Member, 6, "느린독서", "천천히 읽습니다"),
    ];
    let stage = Stage::with(&town);
    let kinds = |query: &str| -> Vec<Kind> {
        let found = stage.find(query, &Filter::default(), 10);
        found.page.rows.iter().map(|it| it.kind).collect()
    };
    let things = kinds("독서모임");
    assert!(things[..3].iter().all(|it| *it != Kind::Member), "{things:?}");
    assert!(things.len() == 6, "{things:?}");
    for (query, name) in
        [("독서광", "독서광"), ("느린 독서", "느린독서"), ("독서 모임장", "독서모임장")]
    {
        assert_eq!(stage.titles(query, &town)[0], name, "{query}");
    }
}

#[test]
fn what_there_is_little_of_is_found_with_its_kind_behind_it() {
    let town = [
        document(Kind::Gathering, 1, "댕댕이 모임", "한강에서 산책해요"),
        document(Kind::Gathering, 2, "시바견 동호회", "말 안 듣는 아이들"),
        document(Kind::Gathering, 3, "푸들 친구", "동네에서 봐요"),
        document(Kind::Gathering, 4, "코바늘 카페", "목도리를 떠요"),
    ];
    let stage = Stage::with(&town);
    let found = stage.titles("시바견", &town);
    assert_eq!(found, ["시바견 동호회", "댕댕이 모임", "푸들 친구"]);
    assert_eq!(stage.titles("책을 읽는", &town), Vec::<String>::new());
    assert_eq!(stage.titles("뜨개질", &town), ["코바늘 카페"]);
    assert_eq!(stage.titles("강아지를 키우는", &town).len(), 3);
}

#[test]
fn open_ones_come_before_closed_ones_of_the_same_words() {
    let mut closed = document(Kind::Gathering, 1, "등산 모임", "");
    closed.openness = Openness::Closed;
    let open = document(Kind::Gathering, 2, "등산 모임", "");
    let found = Stage::with(&[closed, open]).find("등산", &Filter::default(), 5);
    let ids: Vec<_> = found.page.rows.iter().map(|it| it.id.as_u128()).collect();
    assert_eq!(ids, [2, 1]);
}

#[test]
fn pages_run_both_ways_without_gap_or_repeat() {
    let all: Vec<_> = (1..=57)
        .map(|it| document(Kind::Gathering, it, "등산 모임", if it % 3 == 0 { "등산" } else { "" }))
        .collect();
    let stage = Stage::with(&all);
    let whole = stage.find("등산", &Filter::default(), 100);
    let order: Vec<_> = whole.page.rows.iter().map(|it| it.id).collect();
    assert_eq!((order.len(), whole.total), (57, 57));
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let args = PageArgs { first: Some(10), after: after.as_deref(), ..PageArgs::default() };
        let page = stage.try_find("등산", &Filter::default(), args).unwrap().page;
        seen.extend(page.rows.iter().map(|it| it.id));
        after = page.cursors.last().cloned();
        if !page.has_next_page {
            break;
        }
    }
    assert_eq!(seen, order);
    let before = after.unwrap();
    let args = PageArgs { last: Some(20), before: Some(&before), ..PageArgs::default() };
    let page = stage.try_find("등산", &Filter::default(), args).unwrap().page;
    assert!(page.rows.iter().map(|it| it.id).eq(order[36..56].iter().copied()));
    assert!(page.has_previous_page);
}

#[test]
fn pages_reach_to_the_ten_thousandth_result() {
    let all: Vec<_> = (1..=10_010).map(|it| document(Kind::Gathering, it, "등산", "")).collect();
    let stage = Stage::with(&all);
    let best = stage.find("등산", &Filter::default(), 1);
    // All score the same, so ids are their places.
    let key = best.page.rows[0].score;
    let after = |place: u128| {
        let cursor = Cursor { key, id: Uuid::from_u128(place) }.encode(RESULTS);
        let args = PageArgs { first: Some(20), after: Some(&cursor), ..PageArgs::default() };
        stage.try_find("등산", &Filter::default(), args)
    };
    assert_eq!(best.total, 10_010);
    assert_eq!(after(9_900).unwrap().page.rows.len(), 20);
    let last = after(9_990).unwrap().page;
    assert_eq!((last.rows.len(), last.has_next_page), (10, false));
    assert_eq!(after(10_000).unwrap_err().reason(), "PAGE_TOO_DEEP");
}

#[test]
fn nothing_to_search_for_is_told() {
    let stage = Stage::with(&town());
    let long = "가".repeat(201);
    for query in ["", " \t", "***", "🙂🙂", "\u{200B}", "\0\u{7}", ".*", &long, &"a".repeat(10_000)]
    {
        let args = PageArgs { first: Some(5), ..PageArgs::default() };
        let refused = stage.try_find(query, &Filter::default(), args).unwrap_err();
        assert_eq!(refused.reason(), "QUERY_INVALID", "{query:?}");
    }
}

#[test]
fn odd_queries_are_plain_words() {
    let stage = Stage::with(&town());
    let many: String = "등산 ".chars().cycle().take(200).collect();
    for query in [
        "title:등산",
        "등산*",
        "등산~2 AND NOT 독서",
        "\"등산",
        "(등산",
        "등\u{200B}산",
        "\u{202E}등산\u{202C}",
        "등산🙂",
        "등산\u{0}",
        "[등산 TO *]",
        "등산~99999999^99999999",
        "^(((((등산*)*)*)*)*)+$",
        "*등*산*등산*?*?*?*?*?*?",
        "(a|aa)+등산{1,99999}",
        "\\등산\\",
        &many,
    ] {
        assert!(stage.find(query, &Filter::default(), 5).total > 0, "{query:?}");
    }
    for odd in [
        "가",
        "ㄱ",
        "ㅏ",
        "a",
        "?*",
        "ㄱㄴㄷㄹ",
        "ㅋㅋㅋ",
        "1",
        "가나다라마바사",
        "ﷺ",
        "\u{1F468}\u{200D}",
    ] {
        let query: String = odd.chars().cycle().take(200).collect();
        let args = PageArgs { first: Some(5), ..PageArgs::default() };
        let answer = stage.try_find(&query, &Filter::default(), args);
        assert!(answer.is_ok_and(|it| it.total <= town().len()) || odd == "?*" || odd.len() > 6);
    }
}

#[test]
fn a_search_explains_itself() {
    let told = Stage::with(&town()).explain("하이낑");
    for part in ["with near words", "corrected: 하이킹", "word `하이낑`", "=등산", "하이킹 크루"]
    {
        assert!(told.contains(part), "{part} in\n{told}");
    }
}
