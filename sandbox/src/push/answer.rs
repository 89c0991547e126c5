//! What a push service answers on demand.

use serde::{Deserialize, Serialize};

/// How a push service answers what is sent to one device. In JSON `"gone"`, or `{"slow":{"ms":500}}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushAnswer {
    /// It takes the message.
    #[default]
    Accept,
    /// The subscription is over for good: 410; FCM: 404 `UNREGISTERED`.
    Gone,
    /// 404; FCM: `UNREGISTERED` too.
    NotFound,
    /// 400; FCM: `INVALID_ARGUMENT`, and it is not the token that is invalid.
    Invalid,
    /// 401; FCM: the access token is not valid any more.
    Unauthorized,
    /// 403; FCM: `SENDER_ID_MISMATCH`.
    Forbidden,
    /// 429 with `Retry-After`; FCM: `QUOTA_EXCEEDED`.
    TooMany { retry_after_s: u32 },
    /// 500; FCM: `INTERNAL`.
    Failing,
    /// 503; FCM: `UNAVAILABLE`.
    Unavailable { retry_after_s: Option<u32> },
    /// It takes the message, so many milliseconds later.
    Slow { ms: u64 },
}

impl PushAnswer {
    pub(crate) const fn delay_ms(self) -> u64 {
        match self {
            Self::Slow { ms } => ms,
            _ => 0,
        }
    }
}

/// An answer for the next messages, or for all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answering {
    answer: PushAnswer,
    /// None: until another is wanted.
    times: Option<u32>,
}

impl Answering {
    pub(super) fn new(answer: PushAnswer, times: Option<u32>) -> Self {
        if times == Some(0) { Self::default() } else { Self { answer, times } }
    }

    /// The answer to one more message; it is counted.
    pub(super) fn take(&mut self) -> PushAnswer {
        let answer = self.answer;
        *self = Self::new(answer, self.times.map(|times| times - 1));
        answer
    }

    pub(super) const fn next(self) -> PushAnswer {
        self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_as_often_as_it_was_asked_for() {
        let mut answering = Answering::new(PushAnswer::Failing, Some(2));
        let given = [(); 3].map(|()| answering.take());
        assert_eq!(given, [PushAnswer::Failing, PushAnswer::Failing, PushAnswer::Accept]);
    }

    #[test]
    fn an_answer_without_a_number_stays() {
        let mut answering = Answering::new(PushAnswer::Gone, None);
        assert_eq!([(); 3].map(|()| answering.take()), [PushAnswer::Gone; 3]);
        assert_eq!(answering.next(), PushAnswer::Gone);
    }

    #[test]
    fn answers_are_words_in_json() {
        for (answer, json) in [
            (PushAnswer::Gone, r#""gone""#),
            (PushAnswer::TooMany { retry_after_s: 7 }, r#"{"too-many":{"retry_after_s":7}}"#),
            (PushAnswer::Slow { ms: 5 }, r#"{"slow":{"ms":5}}"#),
        ] {
            assert_eq!(serde_json::to_string(&answer).unwrap(), json);
            assert_eq!(serde_json::from_str::<PushAnswer>(json).unwrap(), answer);
        }
    }
}
