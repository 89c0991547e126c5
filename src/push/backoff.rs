//! How long to wait before another try.

use std::time::Duration;

use aws_lc_rs::rand;

/// Google's guide for FCM at scale (<https://firebase.google.com/docs/cloud-messaging/scale-fcm>): 1 s, 2 s, 4 s …, with
/// jitter.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// What a provider may ask for. Longer, and a slip of its clock would silence a device for good.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The wait after `tries` tries, the first being 1: twice as long each time, or what the provider asks for if that is longer;
/// and a little more, so that those who were told the same do not come back together.
pub(super) fn delay(tries: u32, retry_after: Option<Duration>) -> Duration {
    let own = FIRST.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST);
    let base = retry_after.map_or(own, |asked| asked.min(LONGEST_ASKED).max(own));
    base + jitter(base / 4)
}

/// Uniform between zero and `most`.
pub(super) fn jitter(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    match rand::fill(&mut bytes) {
        Ok(()) => most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)),
        Err(_) => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_half_a_minute() {
        for (tries, least) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (40, 30), (u32::MAX, 30)] {
            let wait = delay(tries, None);
            assert!(wait >= secs(least) && wait <= secs(least) * 5 / 4, "{tries} tries: {wait:?}");
        }
    }

    #[test]
    fn what_the_provider_asks_for_is_waited_for_has_a_limit_and_is_no_less_than_ours() {
        for (tries, asked, least) in
            [(1, 0, 1), (9, 0, 30), (9, 7, 30), (1, 7, 7), (9, 120, 120), (1, 3600, 3600), (9, 86_400, 3600)]
        {
            let wait = delay(tries, Some(secs(asked)));
            assert!(wait >= secs(least) && wait <= secs(least) * 5 / 4, "{tries} tries, {asked} s asked: {wait:?}");
        }
    }

    #[test]
    fn not_everybody_comes_back_at_once() {
        let waits: std::collections::BTreeSet<_> = (0..20).map(|_| delay(6, None)).collect();
        assert!(waits.len() > 1);
    }
}
