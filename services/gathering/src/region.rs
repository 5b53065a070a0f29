//! The Korean regions (시·군·구) a gathering can belong to.

use std::sync::LazyLock;

// One line per region: legal-dong code (first five digits), full name, short name; ordered by code.
const TABLE: &str = include_str!("regions.tsv");

static REGIONS: LazyLock<Vec<Region>> = LazyLock::new(|| {
    let mut regions: Vec<Region> = TABLE.lines().filter_map(parse).collect();
    // Lookups search by halves, so the order must not hang on how the table was last edited.
    regions.sort_unstable_by_key(|region| region.code);
    regions
});

/// A city, county or district that governs itself, with 세종 and the two cities of 제주.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First five digits of its legal-dong code, such as `11440`.
    pub code: &'static str,
    /// Name with the province first, such as `서울특별시 마포구`.
    pub name: &'static str,
    /// Name without the province, such as `마포구`; not unique.
    pub short_name: &'static str,
}

/// The region with this code.
pub fn find(code: &str) -> Option<&'static Region> {
    let index = REGIONS.binary_search_by(|region| region.code.cmp(code)).ok()?;
    REGIONS.get(index)
}

/// Every region, ordered by code.
pub fn all() -> &'static [Region] {
    &REGIONS
}

fn parse(line: &'static str) -> Option<Region> {
    let mut fields = line.split('\t');
    Some(Region { code: fields.next()?, name: fields.next()?, short_name: fields.next()? })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_region() {
        assert_eq!(all().len(), TABLE.lines().count());
        assert_eq!(all().len(), 229);
    }

    #[test]
    fn codes_are_five_digits_and_rise_without_repeating() {
        for region in all() {
            assert_eq!(region.code.len(), 5, "{region:?}");
            assert!(region.code.bytes().all(|b| b.is_ascii_digit()), "{region:?}");
        }
        assert!(all().windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn names_are_unique_and_end_with_the_short_name() {
        let names: HashSet<_> = all().iter().map(|region| region.name).collect();
        assert_eq!(names.len(), all().len());
        for region in all() {
            assert!(region.name.ends_with(region.short_name), "{region:?}");
            assert!(region.short_name.ends_with(['시', '군', '구']), "{region:?}");
        }
    }

    #[test]
    fn each_province_has_all_its_regions_and_one_code_prefix() {
        let provinces = [
            ("서울특별시", "11", 25),
            ("부산광역시", "26", 16),
            ("대구광역시", "27", 9),
            ("인천광역시", "28", 10),
            ("광주광역시", "29", 5),
            ("대전광역시", "30", 5),
            ("울산광역시", "31", 5),
            ("세종특별자치시", "36", 1),
            ("경기도", "41", 31),
            ("강원특별자치도", "51", 18),
            ("충청북도", "43", 11),
            ("충청남도", "44", 15),
            ("전북특별자치도", "52", 14),
            ("전라남도", "46", 22),
            ("경상북도", "47", 22),
            ("경상남도", "48", 18),
            ("제주특별자치도", "50", 2),
        ];
        for (province, prefix, expected) in provinces {
            let named = all().iter().filter(|r| r.name.starts_with(province));
            let coded = all().iter().filter(|r| r.code.starts_with(prefix));
            assert_eq!(named.count(), expected, "{province}");
            assert_eq!(coded.count(), expected, "{prefix}");
        }
        let total: usize = provinces.iter().map(|(_, _, count)| count).sum();
        assert_eq!(total, all().len());
    }

    #[test]
    fn a_region_is_found_by_its_code_and_nothing_else() {
        assert_eq!(find("11440").map(|region| region.name), Some("서울특별시 마포구"));
        assert_eq!(find("27720").map(|region| region.name), Some("대구광역시 군위군"));
        assert_eq!(find("36110").map(|region| region.name), Some("세종특별자치시"));
        for code in ["", "11", "1144", "114400", "99999", "마포구", "42110", "45110"] {
            assert_eq!(find(code), None, "{code}");
        }
        for region in all() {
            assert_eq!(find(region.code), Some(region));
        }
    }
}
