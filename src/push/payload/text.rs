//! Texts of strangers, made fit to stand in a notification.

/// Cuts a text off at a character's boundary, at most `bytes` long.
pub(in crate::push) fn truncate(text: &mut String, bytes: usize) {
    text.truncate(text.floor_char_boundary(bytes));
}

/// The text in one line, without what steers a terminal or turns the writing direction, and at most `bytes` long once it
/// stands in JSON. What was cut off is marked.
pub(super) fn line(text: &str, bytes: usize) -> String {
    const CUT: char = '…';
    let visible: String = text.chars().filter(|letter| !is_steering(*letter)).collect();
    let mut line = String::with_capacity(bytes.min(visible.len()));
    let (mut size, mut kept) = (0, 0);
    for word in
        visible.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty())
    {
        let blank = if line.is_empty() { "" } else { " " };
        for letter in blank.chars().chain(word.chars()) {
            size += in_json(letter);
            if size > bytes {
                line.truncate(kept);
                line.push(CUT);
                return line;
            }
            line.push(letter);
            if size + CUT.len_utf8() <= bytes {
                kept = line.len();
            }
        }
    }
    line
}

/// At most so many characters; what was cut off is marked.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Bytes in a JSON string, in which control characters do not come here.
const fn in_json(letter: char) -> usize {
    match letter {
        '"' | '\\' => 2,
        _ => letter.len_utf8(),
    }
}

/// Control characters that stand between no words, and the embeddings, overrides and isolates of the bidirectional
/// algorithm (UAX #9 §2): they could make a number or an address read backwards, or reach into our own words.
fn is_steering(letter: char) -> bool {
    let between_words = letter.is_whitespace();
    (letter.is_control() && !between_words) || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_becomes_one_line_without_steering_characters() {
        for (text, expected) in [
            ("  Hello,\r\n\tAda \u{2028} ", "Hello, Ada"),
            ("a\u{0}b\u{7}c\u{1b}[31m\u{9b}", "abc[31m"),
            ("\u{202e}0055-555\u{202c} \u{2066}x\u{2069}", "0055-555 x"),
            ("👩\u{200d}🚀 שלום", "👩\u{200d}🚀 שלום"),
            ("\u{202e}", ""),
        ] {
            assert_eq!(line(text, 100), expected);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters_and_marked() {
        assert_eq!(line("abcdefgh", 8), "abcdefgh");
        assert_eq!(line("abcdefghi", 8), "abcde…");
        assert_eq!(line("äöüäö", 9), "äöü…");
        assert_eq!(line("\"\"\"\"\"", 9), "\"\"\"…");
        let mut text = "aä".to_owned();
        truncate(&mut text, 2);
        assert_eq!(text, "a");
    }

    #[test]
    fn a_title_is_as_long_as_a_phone_shows_it() {
        assert_eq!(shorten("abcde", 5), "abcde");
        assert_eq!(shorten("abcdef", 5), "abcd…");
        assert_eq!(shorten("abc def", 5), "abc…");
        assert_eq!(shorten("äöüßæø", 5), "äöüß…");
    }

    proptest! {
        #[test]
        fn no_text_takes_more_room_in_json_than_it_may(text in any::<String>(), bytes in 3_usize..200) {
            let json = serde_json::to_string(&line(&text, bytes)).unwrap();
            prop_assert!(json.len() <= bytes + 2, "{json}");
        }
    }
}
