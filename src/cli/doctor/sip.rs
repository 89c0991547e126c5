//! What of SIP can be told from within: where phones and Twilio are told to send, and whether anything listens.

use std::{
    fs, io,
    net::{IpAddr, UdpSocket},
    ops::RangeInclusive,
};

use super::finding::{Finding, fail, ok, warn};
use crate::{
    config::{Config, MediaMode},
    sip,
};

const CHECK: &str = "sip";

/// The ports that Linux gives to whoever asks for any (`ip_local_port_range`), and those of them that it keeps back
/// (<https://docs.kernel.org/networking/ip-sysctl.html>).
const LOCAL_PORTS: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED_PORTS: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

pub(super) fn signalling(config: &Config) -> Vec<Finding> {
    let Some(sip) = &config.sip else { return Vec::new() };
    let mut found = Vec::new();
    let at = sip.advertised_address.map_or_else(|| sip.domain.to_string(), |address| address.to_string());
    if at.parse().is_ok_and(is_of_a_closed_network) {
        let what = format!("phones are told to call {at}, which nobody outside can reach");
        found.push(fail(CHECK, what, "set sip.advertised_address to the public address of this machine"));
    }
    if let Some(udp) = sip.udp {
        found.push(match UdpSocket::bind(udp) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => warn(
                CHECK,
                format!("UDP {udp} is bound; whether a firewall lets it in cannot be told from here"),
                format!(
                    "try from another machine: nmap -sU -p {} {at}; open it in the firewall if it says closed",
                    udp.port()
                ),
            ),
            Ok(_) => fail(
                CHECK,
                format!("nothing listens at UDP {udp}"),
                "restart the daemon: its configuration has changed",
            ),
            Err(error) => fail(CHECK, format!("UDP {udp}: {error}"), "set sip.udp to an address of this machine"),
        });
    }
    found
}

/// Where the audio of calls comes, and for how many of them there are ports.
pub(super) fn media(config: &Config) -> Vec<Finding> {
    let Some(sip) = config.sip.as_ref().filter(|sip| sip.media.mode == MediaMode::Relay) else { return Vec::new() };
    let (ports, address) = (sip.media.ports, sip::advertised(sip));
    let mut found = Vec::new();
    if is_of_a_closed_network(address) {
        let what = format!("phones and Twilio are told to send audio to {address}, which nobody outside can reach");
        found.push(fail(CHECK, what, "set sip.advertised_address to the public address of this machine"));
    }
    let [local, reserved] = [LOCAL_PORTS, RESERVED_PORTS].map(|file| fs::read_to_string(file).unwrap_or_default());
    if others_may_take(&ports.all(), &local, &reserved) {
        let what = format!("other programs of this machine may take ports of sip.media.ports, {ports}");
        let cure = format!("choose others, or keep them back: sysctl -w net.ipv4.ip_local_reserved_ports={ports}");
        found.push(warn(CHECK, what, cure));
    }
    if found.is_empty() {
        let what =
            format!("audio comes to UDP {ports} of {address}, enough for {} calls: open them to all", ports.calls());
        found.push(ok(CHECK, what));
    }
    found
}

/// Whether some of these ports are among those that are given to anybody, and not kept back.
fn others_may_take(ports: &RangeInclusive<u16>, local: &str, reserved: &str) -> bool {
    let mut bounds = local.split_whitespace().map_while(|number| number.parse::<u16>().ok());
    let Some((low, high)) = bounds.next().zip(bounds.next()) else { return false };
    let kept_back: Vec<_> = reserved.trim().split(',').filter_map(range).collect();
    ports.clone().any(|port| (low..=high).contains(&port) && !kept_back.iter().any(|kept| kept.contains(&port)))
}

/// `20000-29999`, or a single number.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

fn is_of_a_closed_network(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified()
        }
        IpAddr::V6(address) => address.is_unique_local() || address.is_loopback() || address.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_others_may_take_are_told() {
        for (ports, reserved, may) in [
            (20_000..=29_999, "", false),
            (30_000..=32_767, "", false),
            (30_000..=32_768, "\n", true),
            (40_000..=40_009, "", true),
            (40_000..=40_009, "40000-40009\n", false),
            (40_000..=40_009, "8080,40000-40004,40005-40009", false),
            (40_000..=40_009, "40000-40008", true),
            (61_000..=65_535, "", false),
        ] {
            assert_eq!(others_may_take(&ports, "32768\t60999\n", reserved), may, "{ports:?} {reserved}");
        }
        assert!(!others_may_take(&(20_000..=29_999), "", ""), "this machine does not say");
    }
}
