//! TwiML: what we answer when Twilio asks how a call goes on (<https://www.twilio.com/docs/voice/twiml>).
//!
//! A document is a list of [`Verb`]s; nothing gets into it but through [`Writer`], which escapes.

use std::{fmt::Write as _, time::Duration};

use url::Url;

use super::taskrouter::Recording;
use crate::domain::ReservationSid;

/// The media type of a document.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// What Twilio reads out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speech<'a> {
    /// As in `de-DE` (<https://www.twilio.com/docs/voice/twiml/say#attributes-language>).
    pub language: &'a str,
    pub text: &'a str,
}

/// One step of a call. Twilio takes them in order; behind the last one it hangs up.
#[derive(Clone, Copy, Debug)]
pub enum Verb<'a> {
    Say(Speech<'a>),
    /// Asks for one key, whichever: it is posted to `action`, and what follows is not reached. Without a key within
    /// `patience`, in whole seconds, after the last word the call goes on
    /// (<https://www.twilio.com/docs/voice/twiml/gather>).
    Gather {
        say: Speech<'a>,
        action: &'a str,
        patience: Duration,
    },
    /// Connects with the customer whom a pending reservation is about, which accepts it. The call goes on when they have
    /// hung up, or at once if the reservation is not pending any more
    /// (<https://www.twilio.com/docs/voice/twiml/queue#attributes-reservation-sid>).
    DialQueue {
        reservation: &'a ReservationSid,
        recording: Option<&'a Recording>,
    },
    Hangup,
}

/// A document of these steps.
pub fn document(verbs: &[Verb<'_>]) -> String {
    let mut writer = Writer::new();
    for verb in verbs {
        writer.verb(verb);
    }
    writer.end()
}

/// Writes XML whose attributes and texts are escaped.
struct Writer(String);

impl Writer {
    fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>".to_owned())
    }

    fn end(mut self) -> String {
        self.close("Response");
        self.0
    }

    fn verb(&mut self, verb: &Verb<'_>) {
        match verb {
            Verb::Say(speech) => self.say(speech),
            Verb::Gather { say, action, patience } => {
                let patience = patience.as_secs().to_string();
                let once = [("input", "dtmf"), ("numDigits", "1"), ("finishOnKey", ""), ("timeout", &patience)];
                self.open("Gather", once.into_iter().chain([("action", *action), ("method", "POST")]));
                self.say(say);
                self.close("Gather");
            }
            Verb::DialQueue { reservation, recording } => {
                self.open("Dial", recording.iter().flat_map(|recording| recorded(recording)));
                self.open("Queue", [("reservationSid", reservation.as_str())]);
                self.close("Queue");
                self.close("Dial");
            }
            Verb::Hangup => {
                self.open("Hangup", []);
                self.close("Hangup");
            }
        }
    }

    fn say(&mut self, speech: &Speech<'_>) {
        self.open("Say", [("language", speech.language)]);
        self.text(speech.text);
        self.close("Say");
    }

    fn open<'a>(&mut self, name: &'static str, attributes: impl IntoIterator<Item = (&'static str, &'a str)>) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }

    fn close(&mut self, name: &'static str) {
        // Writing to a string does not fail.
        let _ = write!(self.0, "</{name}>");
    }

    /// Characters that XML has no way to hold (<https://www.w3.org/TR/xml/#charsets>) are left out; blanks other than
    /// spaces are written as references, since an attribute would lose them.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&apos;"),
                '\t' => self.0.push_str("&#9;"),
                '\n' => self.0.push_str("&#10;"),
                '\r' => self.0.push_str("&#13;"),
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
                _ => self.0.push(character),
            }
        }
    }
}

/// The conversation alone, each side on a track of its own (<https://www.twilio.com/docs/voice/twiml/dial#record>).
fn recorded(recording: &Recording) -> impl Iterator<Item = (&'static str, &str)> {
    let told = recording.status_callback.as_ref().map(Url::as_str);
    let told = told.map(|url| [("recordingStatusCallback", url), ("recordingStatusCallbackMethod", "POST")]);
    [("record", "record-from-answer-dual")].into_iter().chain(told.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(verbs: &[Verb<'_>]) -> String {
        let document = document(verbs);
        let body = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>");
        body.and_then(|body| body.strip_suffix("</Response>")).unwrap().to_owned()
    }

    fn reservation() -> ReservationSid {
        "WR0123456789abcdef0123456789abcdef".parse().unwrap()
    }

    #[test]
    fn a_question_names_where_the_key_goes_to() {
        let action = "https://gw.example.com/webhooks/voice/confirm?call=1&leg=2";
        let say = Speech { language: "de-DE", text: "Drücken Sie die 1." };
        let question = Verb::Gather { say, action, patience: Duration::from_millis(5_900) };
        assert_eq!(
            body(&[question, Verb::Hangup]),
            "<Gather input=\"dtmf\" numDigits=\"1\" finishOnKey=\"\" timeout=\"5\" \
             action=\"https://gw.example.com/webhooks/voice/confirm?call=1&amp;leg=2\" method=\"POST\">\
             <Say language=\"de-DE\">Drücken Sie die 1.</Say></Gather><Hangup></Hangup>"
        );
    }

    #[test]
    fn whoever_takes_the_call_is_connected_by_the_reservation() {
        let reservation = reservation();
        let dial = |recording: Option<&Recording>| body(&[Verb::DialQueue { reservation: &reservation, recording }]);
        let queue = format!("<Queue reservationSid=\"{reservation}\"></Queue></Dial>");
        assert_eq!(dial(None), format!("<Dial>{queue}"));
        let untold = Recording { status_callback: None };
        assert_eq!(dial(Some(&untold)), format!("<Dial record=\"record-from-answer-dual\">{queue}"));
        let told = Recording { status_callback: Some("https://flex.example/a?b=1&c=2".parse().unwrap()) };
        let expected = "<Dial record=\"record-from-answer-dual\" recordingStatusCallback=\"https://flex.example/a?b=1&amp;c=2\" \
                        recordingStatusCallbackMethod=\"POST\">";
        assert_eq!(dial(Some(&told)), format!("{expected}{queue}"));
    }

    #[test]
    fn no_text_gets_out_of_its_element() {
        let say = |text: &str| body(&[Verb::Say(Speech { language: "\"><Hangup/>", text })]);
        let attribute = "&quot;&gt;&lt;Hangup/&gt;";
        assert_eq!(
            say("</Say>&'\"]]>\u{1}\u{fffe}\n😀"),
            format!("<Say language=\"{attribute}\">&lt;/Say&gt;&amp;&apos;&quot;]]&gt;&#10;😀</Say>")
        );
    }
}
