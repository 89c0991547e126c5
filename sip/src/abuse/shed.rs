//! What was dropped, by its reason.

/// Why something was dropped; the metrics' `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shed {
    /// More messages or connections than the source may have.
    Rate,
    /// The source has guessed passwords.
    LockedOut,
    /// It says of itself that it is a scanner.
    Scanner,
    /// No SIP.
    Garbage,
    /// The answer would be more than twice as long as the request, to somebody who may have forged the address.
    Amplification,
    /// More answers than an unknown source gets.
    Replies,
    /// No room for another transaction or connection.
    Full,
    /// More registrations than one account may have.
    Registrations,
    /// More calls than one account may begin.
    Calls,
}

impl Shed {
    pub const ALL: [Self; 9] = [
        Self::Rate,
        Self::LockedOut,
        Self::Scanner,
        Self::Garbage,
        Self::Amplification,
        Self::Replies,
        Self::Full,
        Self::Registrations,
        Self::Calls,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::LockedOut => "locked_out",
            Self::Scanner => "scanner",
            Self::Garbage => "garbage",
            Self::Amplification => "amplification",
            Self::Replies => "replies",
            Self::Full => "full",
            Self::Registrations => "registrations",
            Self::Calls => "calls",
        }
    }
}
