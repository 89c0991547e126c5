//! A phone number, as a person types it.

use crate::domain::{E164, PhoneError};

/// More than any number has, with all its blanks and brackets. What is longer is not looked at.
const LONGEST: usize = 32;

/// The number in E.164 form. It must be an international one, with its plus sign and country code, and may have blanks,
/// hyphens, dots, brackets and the (0) that people put into it.
///
/// # Errors
/// [`PhoneError`]; it does not repeat the text.
pub fn parse(text: &str) -> Result<E164, PhoneError> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let is_plain = text.len() <= LONGEST
        && text.starts_with('+')
        && text.chars().all(|letter| letter.is_ascii_digit() || "+ -./()\u{a0}".contains(letter));
    if !is_plain {
        return Err(PhoneError);
    }
    let number = phonenumber::parse(None, text).map_err(|_| PhoneError)?;
    number.format().mode(phonenumber::Mode::E164).to_string().parse()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_taken_as_people_write_it() {
        for text in
            ["+4915112345678", " +49 151 12345678 ", "+49-151-123 456 78", "+49 (151) 12345678", "+49 (0)151 12345678"]
        {
            assert_eq!(parse(text).map(|number| number.to_string()), Ok("+4915112345678".to_owned()), "{text}");
        }
        assert_eq!(parse("+1 (202) 555-0101").unwrap().as_str(), "+12025550101");
    }

    #[test]
    fn what_is_no_international_number_is_refused() {
        let long = format!("+{}", "1 ".repeat(40));
        for text in
            ["", "+", "hello", "015112345678", "0049 151 12345678", "+49 151 12345678 ext. 5", "+49;151", "+1", &long]
        {
            assert_eq!(parse(text), Err(PhoneError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_the_parser_down(text in r"\+?[0-9 ()./+-]{0,40}|\PC*") {
            if let Ok(number) = parse(&text) {
                prop_assert!(number.as_str().len() <= 16);
            }
        }
    }
}
