//! How often each nonce was used (RFC 7616 §3.4, `nc`), in memory of a fixed size.

/// Nonces that are remembered. One that falls out is refused as stale: a phone answers with one more message, and nobody can
/// use an old nonce again.
const REMEMBERED: usize = 1 << 16;

/// The highest count of each nonce.
///
/// A nonce has the place that its number gives it, and shares it with all whose numbers are that far apart. The youngest has
/// it; one that is older than who has its place is taken for used up.
pub(crate) struct Counts {
    places: Box<[Place]>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    /// 0: nobody yet.
    serial: u64,
    count: u32,
}

impl Counts {
    pub(crate) fn new() -> Self {
        Self { places: vec![Place::default(); REMEMBERED].into() }
    }

    /// Writes down that the nonce was used for the `count`th time. False: it was used as often before, or is forgotten.
    pub(crate) fn rises(&mut self, serial: u64, count: u32) -> bool {
        let remembered = u64::try_from(self.places.len()).unwrap_or(u64::MAX).max(1);
        let place = usize::try_from(serial % remembered).ok().and_then(|place| self.places.get_mut(place));
        let Some(place) = place else { return false };
        if serial < place.serial || serial == place.serial && count <= place.count {
            return false;
        }
        *place = Place { serial, count };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_must_rise_and_may_skip() {
        let mut counts = Counts::new();
        for (serial, count, rises) in
            [(1, 1, true), (1, 1, false), (1, 5, true), (1, 3, false), (1, 6, true), (2, 1, true), (1, 7, true)]
        {
            assert_eq!(counts.rises(serial, count), rises, "{serial} {count}");
        }
    }

    #[test]
    fn an_old_nonce_does_not_come_back_once_its_place_is_taken() {
        let mut counts = Counts::new();
        let far = 1 + REMEMBERED as u64;
        assert!(counts.rises(1, 1));
        assert!(counts.rises(far, 1));
        assert!(!counts.rises(1, 2));
        assert!(counts.rises(far, 2));
    }
}
