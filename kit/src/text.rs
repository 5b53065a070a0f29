//! Texts that people write: trimmed, counted in characters, and free of what shows as nothing.

use std::ops::RangeInclusive;

/// A text of one line, without blanks around it; nothing when it is too short, too long or holds
/// what nobody can see.
pub fn line(text: &str, characters: RangeInclusive<usize>) -> Option<String> {
    let text = text.trim();
    let fits = characters.contains(&text.chars().count()) && !text.contains(is_hidden);
    fits.then(|| text.to_owned())
}

/// A text of several lines; the two-letter line ends of some systems become the one of all others.
pub fn prose(text: &str, characters: RangeInclusive<usize>) -> Option<String> {
    let text = text.trim().replace("\r\n", "\n");
    let hidden = |letter: char| letter != '\n' && is_hidden(letter);
    let fits = characters.contains(&text.chars().count()) && !text.contains(hidden);
    fits.then_some(text)
}

/// Control characters, separators of lines, marks of direction, fillers and non-characters. The
/// joiner U+200D stays, for emoji of several people are made with it.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}'
            | '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FDD0}'..='\u{FDEF}' | '\u{FFF9}'..='\u{FFFB}')
        || u32::from(letter) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_counted_in_characters() {
        assert_eq!(line("  한강 산책  ", 2..=5).as_deref(), Some("한강 산책"));
        assert_eq!(line("가", 2..=5), None);
        assert_eq!(line("👨‍👩‍👧 나들이", 2..=20).as_deref(), Some("👨‍👩‍👧 나들이"));
    }

    #[test]
    fn what_nobody_can_see_is_refused() {
        for hidden in
            ['\0', '\n', '\u{200B}', '\u{202E}', '\u{2028}', '\u{3164}', '\u{FFFF}', '\u{1FFFE}']
        {
            assert_eq!(line(&format!("a{hidden}b"), 1..=9), None, "{hidden:?}");
        }
    }

    #[test]
    fn prose_may_have_lines() {
        assert_eq!(prose("가\r\n나", 1..=9).as_deref(), Some("가\n나"));
        assert_eq!(prose("가\u{202E}나", 1..=9), None);
    }
}
