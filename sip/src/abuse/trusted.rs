//! Sources that are known without a password, by their networks: Twilio's. Anybody can forge their addresses, and nobody is
//! to starve them by it.

use std::{collections::HashMap, net::IpAddr};

use ipnet::IpNet;

use super::{Record, Source};

/// Sources that have a record of their own: more than Twilio has, and a bound if somebody lists a huge network. The rest have
/// one together.
const MOST: usize = 4096;

#[derive(Debug)]
pub(super) struct Trusted {
    networks: Vec<IpNet>,
    records: HashMap<Source, Record>,
    rest: Record,
}

impl Trusted {
    pub(super) fn new(networks: &[IpNet]) -> Self {
        Self { networks: networks.to_vec(), records: HashMap::new(), rest: Record::default() }
    }

    pub(super) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// What counts for such a source.
    pub(super) fn record(&mut self, source: Source) -> &mut Record {
        if self.has_room(source) { self.records.entry(source).or_default() } else { &mut self.rest }
    }

    /// Its own record, if there is room for it.
    pub(super) fn own(&mut self, source: Source) -> Option<&mut Record> {
        self.has_room(source).then(|| self.records.entry(source).or_default())
    }

    fn has_room(&self, source: Source) -> bool {
        self.records.len() < MOST || self.records.contains_key(&source)
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_network_takes_no_more_memory_than_a_small_one() {
        let mut trusted = Trusted::new(&["10.0.0.0/8".parse().unwrap()]);
        for last in 0..10_000 {
            let address = IpAddr::from((0x0a00_0000_u32 + last).to_be_bytes());
            assert!(trusted.has(address));
            trusted.record(Source::of(address));
        }
        assert_eq!(trusted.len(), MOST);
        assert!(trusted.own(Source::V4(0x0a00_0000)).is_some() && trusted.own(Source::V4(0x0aff_0000)).is_none());
    }

    #[test]
    fn an_address_that_is_written_as_one_of_ipv6_is_in_its_network() {
        let trusted = Trusted::new(&["54.172.60.0/30".parse().unwrap()]);
        for (address, has) in
            [("54.172.60.3", true), ("::ffff:54.172.60.3", true), ("54.172.60.4", false), ("::1", false)]
        {
            assert_eq!(trusted.has(address.parse().unwrap()), has, "{address}");
        }
    }
}
