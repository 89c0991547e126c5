//! What an agent wants to be told of, how much of it a lock screen may show, and when to be left alone.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{NewsKind, Timestamp};

/// An agent's wishes for all its devices, or a device's own. What is not said here is said elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What is not told at all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mute: BTreeSet<NewsKind>,
}

impl Wishes {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// These wishes, and where they say nothing, those of `others`. What either mutes is muted.
    #[must_use]
    pub fn over(&self, others: &Self) -> Self {
        Self {
            privacy: self.privacy.or(others.privacy),
            quiet_hours: self.quiet_hours.as_ref().or(others.quiet_hours.as_ref()).cloned(),
            language: self.language.or(others.language),
            mute: self.mute.union(&others.mute).copied().collect(),
        }
    }
}

/// What is to be otherwise of some wishes. `Some(None)`: nothing is wished any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WishChange {
    pub privacy: Option<Option<Privacy>>,
    pub quiet_hours: Option<Option<QuietHours>>,
    pub language: Option<Option<Language>>,
    pub mute: Option<BTreeSet<NewsKind>>,
}

impl WishChange {
    pub fn apply(self, wishes: &mut Wishes) {
        let Self { privacy, quiet_hours, language, mute } = self;
        wishes.privacy = privacy.unwrap_or(wishes.privacy);
        wishes.language = language.unwrap_or(wishes.language);
        if let Some(quiet_hours) = quiet_hours {
            wishes.quiet_hours = quiet_hours;
        }
        if let Some(mute) = mute {
            wishes.mute = mute;
        }
    }
}

/// What a lock screen may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Who writes, from which number, and what.
    Full,
    /// The customer's name, and neither text nor number.
    Sender,
    /// That there is something.
    None,
}

impl Privacy {
    const ALL: [Self; 3] = [Self::Full, Self::Sender, Self::None];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Sender => "sender",
            Self::None => "none",
        }
    }
}

impl FromStr for Privacy {
    type Err = WishError;

    fn from_str(text: &str) -> Result<Self, WishError> {
        Self::ALL.into_iter().find(|privacy| privacy.name() == text).ok_or(WishError::Privacy)
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What notifications are written in, and what is said on the phone (BCP 47).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    De,
}

impl Language {
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }
}

/// Hours of every day in which nothing is told, in the agent's own time. They may go past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "QuietHoursForm")]
pub struct QuietHours {
    pub start: TimeOfDay,
    /// The first minute that is not quiet any more.
    pub end: TimeOfDay,
    pub time_zone: Zone,
    /// What is told all the same.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<NewsKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietHoursForm {
    start: TimeOfDay,
    end: TimeOfDay,
    time_zone: Zone,
    #[serde(default)]
    except: BTreeSet<NewsKind>,
}

impl TryFrom<QuietHoursForm> for QuietHours {
    type Error = WishError;

    fn try_from(form: QuietHoursForm) -> Result<Self, WishError> {
        let QuietHoursForm { start, end, time_zone, except } = form;
        if start == end { Err(WishError::NoHours) } else { Ok(Self { start, end, time_zone, except }) }
    }
}

impl QuietHours {
    pub fn hold(&self, now: Timestamp) -> bool {
        let minute = self.time_zone.minute_of_day(now);
        let (start, end) = (self.start.0, self.end.0);
        if start < end { (start..end).contains(&minute) } else { minute >= start || minute < end }
    }
}

/// Why a wish cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    #[error("privacy is one of \"full\", \"sender\", \"none\"")]
    Privacy,
    #[error("a time of day is written as in \"22:30\"")]
    TimeOfDay,
    #[error("the time zone is none of the IANA database, as in \"Europe/Berlin\"")]
    TimeZone,
    #[error("quiet hours begin and end at different times")]
    NoHours,
}

/// Minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl FromStr for TimeOfDay {
    type Err = WishError;

    fn from_str(text: &str) -> Result<Self, WishError> {
        let part = |digits: &str, below: u16| -> Result<u16, WishError> {
            let whole = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|number| whole && *number < below).ok_or(WishError::TimeOfDay)
        };
        let (hours, minutes) = text.split_once(':').ok_or(WishError::TimeOfDay)?;
        Ok(Self(part(hours, 24)? * 60 + part(minutes, 60)?))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = WishError;

    fn try_from(text: String) -> Result<Self, WishError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A time zone of the IANA database, summer time included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    fn minute_of_day(&self, now: Timestamp) -> u16 {
        let at = i64::try_from(now.as_millis()).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
        let time = self.0.to_datetime(at.unwrap_or(jiff::Timestamp::MAX)).time();
        // Neither is ever negative.
        u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
    }
}

impl FromStr for Zone {
    type Err = WishError;

    fn from_str(text: &str) -> Result<Self, WishError> {
        TimeZone::get(text).map(Self).map_err(|_| WishError::TimeZone)
    }
}

impl TryFrom<String> for Zone {
    type Error = WishError;

    fn try_from(text: String) -> Result<Self, WishError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.iana_name().unwrap_or("Etc/UTC").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(start: &str, end: &str, zone: &str) -> QuietHours {
        let form = serde_json::json!({ "start": start, "end": end, "time_zone": zone });
        serde_json::from_value(form).unwrap()
    }

    /// As RFC 3339 writes it.
    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(moment.as_millisecond().try_into().unwrap())
    }

    #[test]
    fn hours_hold_from_their_first_minute_to_the_one_before_their_last_also_past_midnight() {
        for (hours, time, held) in [
            (("09:00", "17:00"), "08:59:59", false),
            (("09:00", "17:00"), "09:00:00", true),
            (("09:00", "17:00"), "16:59:59", true),
            (("09:00", "17:00"), "17:00:00", false),
            (("22:00", "07:00"), "21:59:59", false),
            (("22:00", "07:00"), "22:00:00", true),
            (("22:00", "07:00"), "00:00:00", true),
            (("22:00", "07:00"), "06:59:59", true),
            (("22:00", "07:00"), "07:00:00", false),
        ] {
            let now = at(&format!("2026-11-26T{time}Z"));
            assert_eq!(quiet(hours.0, hours.1, "Etc/UTC").hold(now), held, "{hours:?} {time}");
        }
    }

    #[test]
    fn hours_are_those_of_the_agents_own_clock_in_summer_and_in_winter() {
        let berlin = quiet("22:00", "07:00", "Europe/Berlin");
        assert!(berlin.hold(at("2026-07-01T20:00:00Z")) && !berlin.hold(at("2026-07-01T05:00:00Z")));
        assert!(!berlin.hold(at("2026-12-01T20:00:00Z")) && berlin.hold(at("2026-12-01T05:00:00Z")));
        let kathmandu = quiet("22:00", "07:00", "Asia/Kathmandu");
        assert!(!kathmandu.hold(at("2026-07-01T16:14:00Z")) && kathmandu.hold(at("2026-07-01T16:15:00Z")));
    }

    #[test]
    fn what_is_no_time_and_no_zone_is_refused() {
        for bad in ["", "24:00", "7:00", "07:60", "+7:00", "07:0", "07:00:00", "07.00"] {
            assert_eq!(bad.parse::<TimeOfDay>(), Err(WishError::TimeOfDay), "{bad}");
        }
        for bad in ["", "Mars/Olympus", "../../etc/passwd", "+01:00"] {
            assert_eq!(bad.parse::<Zone>(), Err(WishError::TimeZone), "{bad}");
        }
        let never = serde_json::json!({ "start": "07:00", "end": "07:00", "time_zone": "Etc/UTC" });
        assert!(serde_json::from_value::<QuietHours>(never).is_err());
    }

    #[test]
    fn what_is_written_down_reads_back() {
        let wishes = Wishes {
            privacy: Some(Privacy::None),
            quiet_hours: Some(quiet("22:00", "06:30", "America/New_York")),
            language: Some(Language::De),
            mute: [NewsKind::Message].into(),
        };
        let json = serde_json::to_value(&wishes).unwrap();
        assert_eq!(json["quiet_hours"]["time_zone"], "America/New_York");
        assert_eq!(serde_json::from_value::<Wishes>(json).unwrap(), wishes);
        assert_eq!(serde_json::from_str::<Wishes>("{}").unwrap(), Wishes::default());
    }

    #[test]
    fn a_device_has_the_last_word_but_cannot_unmute() {
        let agent = Wishes { privacy: Some(Privacy::Full), mute: [NewsKind::Message].into(), ..Wishes::default() };
        let device = Wishes { privacy: Some(Privacy::None), mute: [NewsKind::Activity].into(), ..Wishes::default() };
        let both = device.over(&agent);
        assert_eq!((both.privacy, both.mute.len()), (Some(Privacy::None), 2));
        assert_eq!(Wishes::default().over(&agent), agent);
    }
}
