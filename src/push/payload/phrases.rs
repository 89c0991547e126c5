//! The phrases of each language: what devices show, and what is said on the phone. Another language is one more table, and a
//! variant of [`Language`].
//!
//! `{}` stands for what is said of the customer or the activity. A pair is a title and a body.

use crate::domain::Language;

pub(super) struct Phrases {
    /// What is offered: alone, and from somebody.
    pub(super) chat: (&'static str, &'static str),
    pub(super) sms: (&'static str, &'static str),
    pub(super) whatsapp: (&'static str, &'static str),
    pub(super) messenger: (&'static str, &'static str),
    pub(super) email: (&'static str, &'static str),
    pub(super) voice: (&'static str, &'static str),
    pub(super) task: (&'static str, &'static str),
    pub(super) customer_waits: &'static str,
    pub(super) address_waits: &'static str,
    pub(super) accepted: [&'static str; 2],
    pub(super) declined: [&'static str; 2],
    pub(super) missed: [&'static str; 2],
    pub(super) gone: [&'static str; 2],
    pub(super) message: &'static str,
    pub(super) read: &'static str,
    pub(super) file: &'static str,
    pub(super) files: &'static str,
    pub(super) messages_read: [&'static str; 2],
    pub(super) call_missed: [&'static str; 2],
    pub(super) activity: &'static str,
    pub(super) because_missed: &'static str,
    pub(super) because_elsewhere: &'static str,
    pub(super) superseded: [&'static str; 2],
    pub(super) test: [&'static str; 2],
    pub(super) accept: &'static str,
    pub(super) decline: &'static str,
    pub(super) spoken: Spoken,
}

/// What an agent hears who picks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// How Twilio's voices name the language.
    pub language: &'static str,
    /// Asks for the key that takes the call.
    pub press_one: &'static str,
    /// No customer is waiting, or none any more.
    pub nobody_waits: &'static str,
    /// The agent pressed another key, or none.
    pub not_taken: &'static str,
}

impl Spoken {
    pub const fn of(language: Language) -> Self {
        Phrases::of(language).spoken
    }
}

impl Phrases {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::De => &GERMAN,
        }
    }
}

const ENGLISH: Phrases = Phrases {
    chat: ("New chat", "New chat from {}"),
    sms: ("New text message", "New text message from {}"),
    whatsapp: ("New WhatsApp chat", "New WhatsApp chat from {}"),
    messenger: ("New Messenger chat", "New Messenger chat from {}"),
    email: ("New e-mail", "New e-mail from {}"),
    voice: ("New call", "New call from {}"),
    task: ("New task", "New task from {}"),
    customer_waits: "A customer is waiting. Tap to answer.",
    address_waits: "{} is waiting. Tap to answer.",
    accepted: ["Task accepted", "You have it."],
    declined: ["Task declined", "It goes to somebody else."],
    missed: ["Task missed", "You did not answer in time."],
    gone: ["Task gone", "Somebody else has it, or the customer has left."],
    message: "New message",
    read: "Tap to read it.",
    file: "Sent a file",
    files: "Sent {} files",
    messages_read: ["Messages read", "There is nothing new here."],
    call_missed: ["Missed call", "It rang, and you did not answer."],
    activity: "You are now {}",
    because_missed: "You missed too many in a row. Tap to change it.",
    because_elsewhere: "It was changed elsewhere. Tap to change it back.",
    superseded: ["Signed in elsewhere", "Another device has taken over. Sign in again to use this one."],
    test: ["Notifications work", "This is what you asked to see."],
    accept: "Accept",
    decline: "Decline",
    spoken: Spoken {
        language: "en-US",
        press_one: "A customer is calling. To take the call, press 1.",
        nobody_waits: "The customer is not waiting any more. Goodbye.",
        not_taken: "The call goes to somebody else. Goodbye.",
    },
};

const GERMAN: Phrases = Phrases {
    chat: ("Neuer Chat", "Neuer Chat von {}"),
    sms: ("Neue SMS", "Neue SMS von {}"),
    whatsapp: ("Neuer WhatsApp-Chat", "Neuer WhatsApp-Chat von {}"),
    messenger: ("Neuer Messenger-Chat", "Neuer Messenger-Chat von {}"),
    email: ("Neue E-Mail", "Neue E-Mail von {}"),
    voice: ("Neuer Anruf", "Neuer Anruf von {}"),
    task: ("Neue Aufgabe", "Neue Aufgabe von {}"),
    customer_waits: "Ein Kunde wartet. Tippen, um zu antworten.",
    address_waits: "{} wartet. Tippen, um zu antworten.",
    accepted: ["Aufgabe angenommen", "Sie haben sie."],
    declined: ["Aufgabe abgelehnt", "Jemand anderes bekommt sie."],
    missed: ["Aufgabe verpasst", "Sie haben nicht rechtzeitig geantwortet."],
    gone: ["Aufgabe nicht mehr da", "Jemand anderes hat sie, oder der Kunde ist gegangen."],
    message: "Neue Nachricht",
    read: "Tippen, um sie zu lesen.",
    file: "Hat eine Datei geschickt",
    files: "Hat {} Dateien geschickt",
    messages_read: ["Nachrichten gelesen", "Hier ist nichts Neues."],
    call_missed: ["Verpasster Anruf", "Es hat geklingelt, und Sie sind nicht rangegangen."],
    activity: "Sie sind jetzt {}",
    because_missed: "Sie haben zu viele hintereinander verpasst. Tippen, um es zu ändern.",
    because_elsewhere: "Es wurde anderswo geändert. Tippen, um es zurückzunehmen.",
    superseded: ["Anderswo angemeldet", "Ein anderes Gerät hat übernommen. Melden Sie sich hier wieder an."],
    test: ["Benachrichtigungen kommen an", "Das ist die, um die Sie gebeten haben."],
    accept: "Annehmen",
    decline: "Ablehnen",
    spoken: Spoken {
        language: "de-DE",
        press_one: "Ein Kunde ruft an. Drücken Sie die 1, um das Gespräch anzunehmen.",
        nobody_waits: "Der Kunde wartet nicht mehr. Auf Wiederhören.",
        not_taken: "Das Gespräch bekommt jemand anderes. Auf Wiederhören.",
    },
};
