//! Everything that can be refused about searching, in two languages.

moim_kit::faults! {
    QueryInvalid "QUERY_INVALID": Invalid, "query",
        "A query has 1 to 200 characters, letters or digits among them.",
        "검색어는 글자나 숫자를 넣어 1자에서 200자까지 쓸 수 있어요.";
    PageTooDeep "PAGE_TOO_DEEP": Invalid, "after",
        "Pages reach to the 10,000th result; narrow the search.",
        "검색 결과는 10,000번째까지 볼 수 있어요. 조건을 좁혀 주세요.";
}
