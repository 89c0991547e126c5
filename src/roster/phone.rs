//! Telephone numbers as people write them.

use phonenumber::{
    Mode,
    metadata::{DATABASE, Descriptors},
};
use serde_json::Value;

use super::value::text;
use crate::domain::E164;

/// More than any number has, with all its blanks and brackets. What is longer is not looked at.
const LONGEST: usize = 32;

/// Reads a number with its country code, however it is grouped: `+49 (0)151 123-45678`. Its country must exist, and its
/// length must be one that the country has. Which ranges are in use is not judged: operators open new ones faster than any
/// table learns of them.
///
/// # Errors
/// What is expected, without the number.
pub fn read(written: &str) -> Result<E164, &'static str> {
    const EXPECTED: &str =
        "not a phone number with its country code: a plus sign, the code and the number, as in +49 1511 2345678";
    const LENGTH: &str = "not a phone number of this length in any country with this code";
    let number = match written.parse::<E164>() {
        Ok(number) => number,
        Err(_) if !is_written_as_one(written) => return Err(EXPECTED),
        Err(_) => {
            let parsed = phonenumber::parse(None, written).map_err(|_| EXPECTED)?;
            parsed.format().mode(Mode::E164).to_string().parse().map_err(|_| EXPECTED)?
        }
    };
    if has_a_length_of_its_country(&number) { Ok(number) } else { Err(LENGTH) }
}

pub(super) fn of_value(value: &Value) -> Result<E164, String> {
    let written = text(value)?.ok_or("may not be empty")?;
    Ok(read(&written)?)
}

/// The characters that people put into numbers, and not more of them than any number has.
fn is_written_as_one(written: &str) -> bool {
    let written = written.trim();
    let is_plain = |letter: char| letter.is_ascii_digit() || "+ -./()\u{a0}".contains(letter);
    written.len() <= LONGEST && written.starts_with('+') && written.chars().all(is_plain)
}

/// Country codes have one to three digits, and none is the beginning of another.
fn has_a_length_of_its_country(number: &E164) -> bool {
    let digits = number.as_str().trim_start_matches('+');
    (1..=3).filter_map(|length| digits.split_at_checked(length)).any(|(code, national)| {
        let regions = code.parse().ok().and_then(|code: u16| DATABASE.by_code(&code)).unwrap_or_default();
        let Ok(length) = u16::try_from(national.len()) else { return false };
        regions.into_iter().any(|region| has_length(region.descriptors(), length))
    })
}

/// Whether a person's phone may have a number of this length.
fn has_length(kinds: &Descriptors, length: u16) -> bool {
    [kinds.fixed_line(), kinds.mobile(), kinds.voip(), kinds.personal_number(), kinds.uan()]
        .into_iter()
        .flatten()
        .any(|kind| kind.possible_length().contains(&length) || kind.possible_local_length().contains(&length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_however_it_is_grouped() {
        for (written, number) in [
            ("+4915112345678", "+4915112345678"),
            ("+49 1511 2345678", "+4915112345678"),
            ("+49 (0)1511 / 23 45-678", "+4915112345678"),
            ("+1 (202) 555-0101", "+12025550101"),
            ("+39 06 6982 1234", "+390669821234"),
            ("+7 (912) 345-67-89", "+79123456789"),
            ("+683 4000", "+6834000"),
        ] {
            assert_eq!(read(written).map(|number| number.to_string()).as_deref(), Ok(number), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_no_number() {
        for bad in [
            "",
            "+",
            "hello",
            "01511 2345678",
            "+0151123456",
            "+999123456789",
            "+1202555",
            "+120255501011",
            "+49",
            "+49x",
            "+49;151",
            "0049 151 12345678",
            "+49 151 12345678 ext. 5",
            &format!("+{}", "1 ".repeat(40)),
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_the_parser_down(written in r"\+?[0-9 ()./+-]{0,40}|\PC*") {
            if let Ok(number) = read(&written) {
                prop_assert!(number.as_str().len() <= 16);
            }
        }
    }
}
