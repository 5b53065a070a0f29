//! Searching 100,000 gatherings here and in PostgreSQL, side by side; `cargo bench -p moim-search --bench search`.
#![allow(clippy::unwrap_used, reason = "a bench fails loudly")]

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moim_kit::Timestamp;
use moim_kit::page::{PageArgs, PageSpec};
use moim_search::{
    Analyzer, Ask, Document, Filter, Kind, RESULTS, Search, Shelf, Suggestions, begin,
};
use sqlx::{Connection as _, PgConnection, Row as _};
use uuid::Uuid;

const COUNT: u64 = 100_000;
const ROUNDS: usize = 400;
const NOW: Timestamp = Timestamp::from_us(1_700_000_000_000_000);

const HOBBIES: &[&str] = &[
    "등산",
    "러닝",
    "독서",
    "배드민턴",
    "캠핑",
    "베이킹",
    "보드게임",
    "수영",
    "클라이밍",
    "드로잉",
    "뜨개질",
    "사진",
    "영화",
    "요가",
    "테니스",
    "풋살",
    "기타",
    "합창",
    "와인",
    "커피",
    "영어회화",
    "일본어",
    "코딩",
    "재테크",
    "산책",
    "낚시",
    "자전거",
    "서핑",
    "볼링",
    "필라테스",
    "글쓰기",
    "전시",
    "맛집탐방",
    "반려견산책",
    "봉사",
    "도예",
    "목공",
];
const PLACES: &[&str] = &[
    "한강",
    "북한산",
    "홍대",
    "강남",
    "성수",
    "망원",
    "잠실",
    "여의도",
    "마포",
    "판교",
    "광안리",
    "동성로",
    "전주",
    "제주",
    "수원",
    "일산",
    "분당",
    "송도",
    "유성",
    "양양",
];
const REGIONS: &[(&str, &str)] = &[
    ("11440", "서울특별시 마포구"),
    ("11680", "서울특별시 강남구"),
    ("26350", "부산광역시 해운대구"),
    ("41110", "경기도 수원시"),
    ("27110", "대구광역시 중구"),
    ("50110", "제주특별자치도 제주시"),
];
const TITLES: &[&str] = &[
    "{p} {h} 모임",
    "{h} 초보 환영",
    "{p}에서 {h}",
    "주말 {h} 크루",
    "퇴근 후 {h}",
    "{p}{h}동호회",
    "직장인 {h} 클럽",
    "새벽 {h} 번개",
    "{h} 같이 하실 분",
    "2030 {p} {h}",
];
const TEXTS: &[&str] = &[
    "매주 토요일 {p}에서 만나 {h}을 함께합니다. 처음 오시는 분도 편하게 오세요.",
    "{h} 좋아하는 사람들이 모여 천천히 즐깁니다. 끝나고 커피 한 잔 하고 헤어져요.",
    "초보와 숙련자가 반반이에요. 장비는 빌려 드리고 회비는 만 원입니다.",
    "{p}역 3번 출구에서 모여요. 비가 오면 다음 주로 미룹니다.",
    "한 달에 두 번, 꾸준히 나오실 분을 찾습니다. 나이와 직업은 묻지 않아요.",
    "We also speak English, so newcomers to Korea are welcome to join our {h} sessions.",
];
const PLAIN: &[&str] = &[
    "한강 러닝",
    "독서모임",
    "북한산 등산",
    "홍대 보드게임",
    "강남 영어회화",
    "주말 캠핑",
    "요가",
    "제주 서핑",
];
const MISTYPED: &[&str] = &[
    "배드민텬",
    "클라이밍크",
    "드로이잉 홍대",
    "필라테쓰",
    "볼드게임",
    "보드개임 강남",
    "테니쓰크",
    "벨리킹",
];
const TYPING: &[&str] =
    &["북한ㅅ", "독서ㅁ", "보드ㄱ", "클라ㅇ", "배드ㅁ", "영어ㅎ", "맛집ㅌ", "필라ㅌ"];
/// Twelve words of which none is right, letters of everything, and what is in every text.
const ODD: &[&str] = &[
    "배드민텬 클라이밍크 드로이잉 필라테쓰 볼드게임 보드개임 테니쓰크 벨리킹 뜨게지일 사지인관 요리가싶 자전겨타",
    "ㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱㄱ",
    "ㅇㅇ ㄱㅇ ㅅㅇ ㅎㄱ ㅁㅇ ㄷㅅ ㅂㄷ ㅋㅍ ㅈㅈㄱ ㅅㅈ ㄱㄷ ㅊㅂ",
    "모임 함께 초보 토요일 만나 처음 오시는 분도 편하게 오세요 매주 커피",
    "가 나 다 라 마 바 사 아 자 차 카 타",
    "maibadmintonclimbingyogapilatesrunninghikingcampingbakingdrawingswimmingreadingcookingsingingdancing",
];
const INITIALS: &[&str] = &["ㄷㅅ", "ㅂㄷㅁㅌ", "ㅋㄹㅇㅁ", "ㅎㄱ ㄹㄴ"];

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

fn town() -> Vec<Document> {
    let mut dice = Dice(7);
    let gathering = |number| {
        let (hobby, place) = (*dice.pick(HOBBIES), *dice.pick(PLACES));
        let fill = |it: &str| it.replace("{h}", hobby).replace("{p}", place);
        let title = fill(dice.pick::<&str>(TITLES));
        let texts: Vec<String> = (0..3).map(|_| fill(dice.pick::<&str>(TEXTS))).collect();
        let (code, name) = *dice.pick(REGIONS);
        let mut document =
            Document::new(Kind::Gathering, Uuid::from_u128(u128::from(number)), &title);
        document.text = texts.join(" ");
        document.category = Some(1 + i32::try_from(dice.roll(14)).unwrap());
        document.region_code = Some(code.to_owned());
        name.clone_into(&mut document.region_name);
        document.size = dice.roll(100) as i64;
        document.fresh_at = Timestamp::from_us(NOW.us() - dice.roll(365) as i64 * 86_400_000_000);
        document
    };
    (1..=COUNT).map(gathering).collect()
}

fn tell(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}

#[derive(Clone, Copy)]
struct Spread {
    p50: Duration,
    p99: Duration,
}

fn measure(mut run: impl FnMut(usize)) -> Spread {
    (0..20).for_each(&mut run);
    let mut spans: Vec<Duration> = (0..ROUNDS)
        .map(|round| {
            let start = Instant::now();
            run(round);
            start.elapsed()
        })
        .collect();
    spans.sort();
    Spread { p50: spans[ROUNDS / 2], p99: spans[ROUNDS * 99 / 100] }
}

fn row(name: &str, it: Spread) {
    let ms = |it: Duration| it.as_secs_f64() * 1_000.0;
    tell(&format!("{name:<34}{:>10.3}{:>10.3}", ms(it.p50), ms(it.p99)));
}

fn size(path: &Path) -> u64 {
    let files = std::fs::read_dir(path).unwrap().map(|it| it.unwrap().metadata().unwrap().len());
    files.sum()
}

fn find(shelf: &Shelf, query: &str, filter: &Filter) -> usize {
    let args = PageArgs { first: Some(10), ..PageArgs::default() };
    let page = PageSpec::try_new(args, RESULTS).unwrap();
    let searcher = shelf.searcher();
    let search = Search { searcher: &searcher, fields: shelf.fields(), analyzer: shelf.analyzer() };
    search.find(&Ask { query, kinds: &[], filter, page: &page, now: NOW }).unwrap().total
}

fn here(town: &[Document]) -> [Spread; 2] {
    let directory = tempfile::tempdir().unwrap();
    let shelf = begin(directory.path(), &Arc::new(Analyzer::new())).unwrap();
    let start = Instant::now();
    town.iter().for_each(|it| shelf.put(it).unwrap());
    shelf.commit(1).unwrap();
    let span = start.elapsed().as_secs_f64();
    let mib = size(shelf.path()) as f64 / 1_048_576.0;
    tell(&format!("indexing: {:.0}/s, {span:.1} s; index {mib:.1} MiB", COUNT as f64 / span));
    let none = Filter::default();
    let narrow =
        Filter { category: Some(3), region_code: Some("11440".to_owned()), ..Filter::default() };
    let each = |queries: &'static [&'static str], filter: &Filter| {
        measure(|round| {
            find(&shelf, queries[round % queries.len()], filter);
        })
    };
    let plain = each(PLAIN, &none);
    let mistyped = each(MISTYPED, &none);
    tell(&format!("\n{:<34}{:>10}{:>10}", "", "p50 ms", "p99 ms"));
    row("here: plain", plain);
    row("here: filtered", each(PLAIN, &narrow));
    row("here: mistyped", mistyped);
    row("here: half-typed word", each(TYPING, &none));
    row("here: initial consonants", each(INITIALS, &none));
    row("here: odd queries", each(ODD, &none));
    let titles: Vec<(&str, f64)> =
        town.iter().map(|it| (it.title.as_str(), it.size as f64)).collect();
    let suggestions = Suggestions::new(titles);
    row(
        "here: completions",
        measure(|round| drop(suggestions.complete(TYPING[round % TYPING.len()], 10))),
    );
    for query in PLAIN.iter().chain(MISTYPED).chain(TYPING).chain(INITIALS) {
        tell(&format!("  `{query}` finds {}", find(&shelf, query, &none)));
    }
    [plain, mistyped]
}

const KOREAN: &str =
    "CREATE DATABASE korean TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'";
const TABLE: &str = "CREATE TABLE gathering (id BIGINT PRIMARY KEY, body TEXT NOT NULL)";
const FILL: &str = "INSERT INTO gathering SELECT * FROM UNNEST($1::bigint[], $2::text[])";
const INDEX: &str = "CREATE INDEX gathering_trgm ON gathering USING gin (body gin_trgm_ops)";
const LIKE: &str = "
SELECT id, COUNT(*) OVER () AS total FROM gathering WHERE body ILIKE $1 AND body ILIKE $2 ORDER BY id LIMIT 10";
const NEAR: &str = "
SELECT id, COUNT(*) OVER () AS total FROM gathering WHERE $1 <% body
ORDER BY word_similarity($1, body) DESC, id LIMIT 10";

async fn postgres(town: &[Document], ours: [Spread; 2]) {
    let Some(url) = moim_testbed::database().await else { return };
    let mut connection = PgConnection::connect(&url).await.unwrap();
    // pg_trgm knows letters by the database's locale, and in C those of Hangul are none.
    if sqlx::query(KOREAN).execute(&mut connection).await.is_ok() {
        let (server, _) = url.rsplit_once('/').unwrap();
        connection = PgConnection::connect(&format!("{server}/korean")).await.unwrap();
    } else {
        tell("\nLEFT OUT: a locale with Hangul; pg_trgm finds nothing here");
    }
    sqlx::query(TABLE).execute(&mut connection).await.unwrap();
    let start = Instant::now();
    for (number, rows) in town.chunks(5_000).enumerate() {
        let ids: Vec<i64> = (0..rows.len() as i64).map(|it| number as i64 * 5_000 + it).collect();
        let bodies: Vec<String> =
            rows.iter().map(|it| format!("{} {} {}", it.title, it.region_name, it.text)).collect();
        sqlx::query(FILL).bind(ids).bind(bodies).execute(&mut connection).await.unwrap();
    }
    sqlx::query("ANALYZE gathering").execute(&mut connection).await.unwrap();
    tell(&format!("\nPostgreSQL: filled in {:.1} s", start.elapsed().as_secs_f64()));
    let scan = like(&mut connection, 24).await;
    row("PostgreSQL: ILIKE, no index", scan);
    if sqlx::query("CREATE EXTENSION pg_trgm").execute(&mut connection).await.is_err() {
        tell("LEFT OUT: pg_trgm is not installed (postgresql-contrib)");
        return;
    }
    let start = Instant::now();
    sqlx::query(INDEX).execute(&mut connection).await.unwrap();
    let size: i64 = sqlx::query("SELECT pg_relation_size('gathering_trgm') AS size")
        .fetch_one(&mut connection)
        .await
        .unwrap()
        .get("size");
    tell(&format!(
        "pg_trgm: index built in {:.1} s, {:.1} MiB",
        start.elapsed().as_secs_f64(),
        size as f64 / 1_048_576.0
    ));
    let indexed = like(&mut connection, ROUNDS / 4).await;
    row("PostgreSQL: ILIKE, pg_trgm", indexed);
    let mut spans = Vec::new();
    for round in 0..24 {
        let start = Instant::now();
        let rows = sqlx::query(NEAR).bind(MISTYPED[round % MISTYPED.len()]);
        let rows = rows.fetch_all(&mut connection).await.unwrap();
        spans.push(start.elapsed());
        if round < MISTYPED.len() {
            let total: i64 = rows.first().map_or(0, |it| it.get("total"));
            tell(&format!("  `{}` is near to {total}", MISTYPED[round]));
        }
    }
    let near = spread(spans);
    row("PostgreSQL: word similarity", near);
    let times = |it: Spread, ours: Spread| it.p50.as_secs_f64() / ours.p50.as_secs_f64();
    tell(&format!(
        "\nhere is faster at p50: {:.0} times than ILIKE, {:.1} times than ILIKE on pg_trgm (plain); {:.0} times than word similarity (mistyped)",
        times(scan, ours[0]),
        times(indexed, ours[0]),
        times(near, ours[1]),
    ));
}

async fn like(connection: &mut PgConnection, rounds: usize) -> Spread {
    let mut spans = Vec::new();
    for round in 0..rounds {
        let mut words = PLAIN[round % PLAIN.len()].split(' ').map(|it| format!("%{it}%"));
        let first = words.next().unwrap();
        let second = words.next().unwrap_or_else(|| first.clone());
        let start = Instant::now();
        sqlx::query(LIKE).bind(first).bind(second).fetch_all(&mut *connection).await.unwrap();
        spans.push(start.elapsed());
    }
    spread(spans)
}

fn spread(mut spans: Vec<Duration>) -> Spread {
    spans.sort();
    Spread { p50: spans[spans.len() / 2], p99: spans[spans.len() * 99 / 100] }
}

fn main() {
    let town = town();
    let ours = here(&town);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(postgres(&town, ours));
}
