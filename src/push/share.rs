//! Shares of the room in memory: what waits for one push service that is down does not take the room that others need.

use url::{Host, Url};

use crate::domain::PushTarget;

/// Who shares the room with nobody. Its number is its place in an array of [`Share::COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Fcm,
    /// Web pushes by Google, Mozilla, Apple and Microsoft.
    Google,
    Mozilla,
    Apple,
    Microsoft,
    /// Web pushes by anybody else.
    Others,
}

impl Share {
    pub(super) const COUNT: usize = Self::ALL.len();
    pub(super) const ALL: [Self; 6] =
        [Self::Fcm, Self::Google, Self::Mozilla, Self::Apple, Self::Microsoft, Self::Others];

    pub(super) fn of(target: &PushTarget) -> Self {
        let PushTarget::WebPush { endpoint, .. } = target else { return Self::Fcm };
        let url = Url::parse(endpoint).ok();
        let Some(Host::Domain(name)) = url.as_ref().and_then(Url::host) else { return Self::Others };
        let is_of =
            |company: &str| name.strip_suffix(company).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let services = [
            ("googleapis.com", Self::Google),
            ("mozilla.com", Self::Mozilla),
            ("apple.com", Self::Apple),
            ("windows.com", Self::Microsoft),
        ];
        services.into_iter().find(|(company, _)| is_of(company)).map_or(Self::Others, |(_, share)| share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_a_share_of_its_own_and_a_name_that_looks_like_it_has_not() {
        for (endpoint, share) in [
            ("https://fcm.googleapis.com/fcm/send/x", Share::Google),
            ("https://updates.push.services.mozilla.com/wpush/v2/x", Share::Mozilla),
            ("https://web.push.apple.com/x", Share::Apple),
            ("https://wns2-par02p.notify.windows.com/w/?token=x", Share::Microsoft),
            ("https://evilapple.com/x", Share::Others),
            ("http://127.0.0.1:9/x", Share::Others),
            ("nonsense", Share::Others),
        ] {
            let target = PushTarget::WebPush { endpoint: endpoint.into(), p256dh: String::new(), auth: String::new() };
            assert_eq!(Share::of(&target), share, "{endpoint}");
        }
        assert_eq!(Share::of(&PushTarget::Fcm { token: "x".into(), is_fid: false }), Share::Fcm);
        assert!(Share::ALL.iter().enumerate().all(|(place, share)| place == *share as usize));
    }
}
