//! TwiML, as far as the stand-in runs it (<https://www.twilio.com/docs/voice/twiml>).

use std::collections::VecDeque;

use roxmltree::{Document, Node};
use url::Url;

use crate::world::sid::Sid;

/// Twilio's default, in seconds.
const PATIENCE_S: u64 = 5;

/// One step of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Say(String),
    /// Seconds.
    Pause(u64),
    Gather(Gather),
    /// `<Dial><Queue reservationSid="…"/></Dial>`.
    DialQueue {
        reservation: Sid,
        recorded: bool,
    },
    Redirect(String),
    Hangup,
}

/// A question to whoever is on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gather {
    pub(crate) says: String,
    /// Where the keys are posted to.
    pub(crate) action: String,
    /// So many keys, or fewer and the one that ends them.
    pub(crate) digits: usize,
    pub(crate) ends_with: Option<char>,
    pub(crate) patience_s: u64,
    /// The action hears also of no key.
    pub(crate) on_nothing: bool,
}

/// Why a document is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("12100: the document is no XML")]
    NoXml,
    #[error("12200: the stand-in does not know {0} there")]
    Unknown(String),
    #[error("11100: {0} is no URL")]
    NoUrl(String),
}

/// Reads a document that came from `url`; its own URLs may be relative to that.
pub(crate) fn read(document: &str, url: &str) -> Result<VecDeque<Verb>, Fault> {
    let tree = Document::parse(document).map_err(|_| Fault::NoXml)?;
    let root = tree.root_element();
    if !root.has_tag_name("Response") {
        return Err(unknown(root));
    }
    elements(root).map(|element| verb(element, url)).collect()
}

fn elements<'a, 'input>(parent: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    parent.children().filter(Node::is_element)
}

fn unknown(element: Node<'_, '_>) -> Fault {
    Fault::Unknown(format!("<{}>", element.tag_name().name()))
}

fn verb(element: Node<'_, '_>, url: &str) -> Result<Verb, Fault> {
    match element.tag_name().name() {
        "Say" => Ok(Verb::Say(spoken(element))),
        "Pause" => Ok(Verb::Pause(number(element, "length").unwrap_or(1))),
        "Gather" => gather(element, url).map(Verb::Gather),
        "Dial" => dial(element),
        "Redirect" => absolute(url, element.text().unwrap_or_default().trim()).map(Verb::Redirect),
        "Hangup" => Ok(Verb::Hangup),
        _ => Err(unknown(element)),
    }
}

fn spoken(element: Node<'_, '_>) -> String {
    element.text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn number(element: Node<'_, '_>, name: &str) -> Option<u64> {
    element.attribute(name)?.parse().ok()
}

fn gather(element: Node<'_, '_>, url: &str) -> Result<Gather, Fault> {
    let mut says = Vec::new();
    for inner in elements(element) {
        match inner.tag_name().name() {
            "Say" => says.push(spoken(inner)),
            "Pause" => {}
            _ => return Err(unknown(inner)),
        }
    }
    let digits = number(element, "numDigits").and_then(|count| usize::try_from(count).ok());
    Ok(Gather {
        says: says.join(" "),
        action: absolute(url, element.attribute("action").unwrap_or_default())?,
        digits: digits.unwrap_or(usize::MAX).max(1),
        ends_with: element.attribute("finishOnKey").unwrap_or("#").chars().next(),
        patience_s: number(element, "timeout").unwrap_or(PATIENCE_S),
        on_nothing: element.attribute("actionOnEmptyResult") == Some("true"),
    })
}

fn dial(element: Node<'_, '_>) -> Result<Verb, Fault> {
    let queue = elements(element).next().filter(|inner| inner.has_tag_name("Queue"));
    let reservation = queue.and_then(|queue| queue.attribute("reservationSid"));
    let recorded = element.attribute("record").is_some_and(|record| !matches!(record, "false" | "do-not-record"));
    let reservation = reservation.ok_or_else(|| unknown(queue.unwrap_or(element)))?;
    Ok(Verb::DialQueue { reservation: reservation.into(), recorded })
}

/// An empty one means the document's own.
fn absolute(base: &str, text: &str) -> Result<String, Fault> {
    let joined = Url::parse(base).and_then(|base| base.join(text));
    joined.map(String::from).map_err(|_| Fault::NoUrl(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1:8080/webhooks/voice/confirm?call=1&leg=1";

    fn verbs(body: &str) -> Result<Vec<Verb>, Fault> {
        read(&format!("<?xml version=\"1.0\"?><Response>{body}</Response>"), URL).map(Vec::from)
    }

    #[test]
    fn a_question_is_read_with_twilios_defaults() {
        let gather = |attributes: &str| {
            let verbs = verbs(&format!("<Gather {attributes}>\n <Say>Press  1 &amp;\n go.</Say></Gather>")).unwrap();
            let [Verb::Gather(gather)] = verbs.as_slice() else { panic!("{verbs:?}") };
            gather.clone()
        };
        let plain = gather("");
        assert_eq!((plain.says.as_str(), plain.action.as_str()), ("Press 1 & go.", URL));
        assert_eq!(
            (plain.digits, plain.ends_with, plain.patience_s, plain.on_nothing),
            (usize::MAX, Some('#'), 5, false)
        );
        let full =
            gather("numDigits='1' finishOnKey='' timeout='3' actionOnEmptyResult='true' action='/x?a=1&amp;b=2'");
        assert_eq!(full.action, "http://127.0.0.1:8080/x?a=1&b=2");
        assert_eq!((full.digits, full.ends_with, full.patience_s, full.on_nothing), (1, None, 3, true));
    }

    #[test]
    fn verbs_come_in_their_order() {
        let reservation = Sid::from("WR1");
        let dial = "<Dial record='record-from-answer'><Queue reservationSid='WR1'/></Dial>";
        assert_eq!(
            verbs(&format!("<Say>Hello</Say><Pause/>{dial}<Redirect>?a=1</Redirect><Hangup/>")).unwrap(),
            [
                Verb::Say("Hello".to_owned()),
                Verb::Pause(1),
                Verb::DialQueue { reservation, recorded: true },
                Verb::Redirect("http://127.0.0.1:8080/webhooks/voice/confirm?a=1".to_owned()),
                Verb::Hangup,
            ]
        );
    }

    #[test]
    fn what_cannot_be_run_is_told() {
        for (body, fault) in [
            ("<Say>", Fault::NoXml),
            ("<Press/>", Fault::Unknown("<Press>".to_owned())),
            ("<Gather><Dial/></Gather>", Fault::Unknown("<Dial>".to_owned())),
            ("<Dial><Number>+1</Number></Dial>", Fault::Unknown("<Dial>".to_owned())),
            ("<Dial><Queue>support</Queue></Dial>", Fault::Unknown("<Queue>".to_owned())),
            ("<Gather action='http://'/>", Fault::NoUrl("http://".to_owned())),
        ] {
            assert_eq!(verbs(body), Err(fault), "{body}");
        }
        assert_eq!(read("<Html/>", URL), Err(Fault::Unknown("<Html>".to_owned())));
    }
}
