//! How a softphone comes to an account: what a person types, and the same as a link and as a QR code.

use std::net::{IpAddr, SocketAddr};

use offdesk_sip::{driver::Bound, transport::Transport};
use qrcode::{QrCode, render::svg};

/// The account as a SIP URI with its password (RFC 3261 §19.1.1). It is shown once, to the agent, and never logged.
#[derive(Clone)]
pub struct Invitation {
    /// Opened by softphones that take `sip:` links.
    pub link: String,
    /// The same to be scanned, as SVG.
    pub qr_code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    #[error("the account is too long for a QR code")]
    TooLong,
}

/// Modules' size in pixels.
const MODULE: u32 = 6;

impl Invitation {
    pub(super) fn new(
        username: &str,
        password: &str,
        domain: &str,
        bound: Bound,
        advertised: Option<IpAddr>,
    ) -> Result<Self, InvitationError> {
        let link = link(username, password, domain, bound, advertised);
        let code = QrCode::new(link.as_bytes()).map_err(|_| InvitationError::TooLong)?;
        let qr_code = code.render::<svg::Color<'_>>().min_dimensions(MODULE * 40, MODULE * 40).build();
        Ok(Self { link, qr_code })
    }
}

/// Where phones find us, the safest first.
pub(super) fn transports(bound: Bound) -> Vec<(Transport, SocketAddr)> {
    let all = [(Transport::Tls, bound.tls), (Transport::Tcp, bound.tcp), (Transport::Udp, bound.udp)];
    all.into_iter().filter_map(|(transport, address)| Some((transport, address?))).collect()
}

/// `sip:user:password@domain:port;transport=tls`.
fn link(username: &str, password: &str, domain: &str, bound: Bound, advertised: Option<IpAddr>) -> String {
    let first = transports(bound).into_iter().next();
    let (transport, address) = first.unwrap_or((Transport::Udp, SocketAddr::from(([0, 0, 0, 0], 5060))));
    let usual = if transport == Transport::Tls { 5061 } else { 5060 };
    let port = if address.port() == usual { String::new() } else { format!(":{}", address.port()) };
    let maddr = match advertised {
        None => String::new(),
        Some(IpAddr::V4(address)) => format!(";maddr={address}"),
        Some(IpAddr::V6(address)) => format!(";maddr=[{address}]"),
    };
    format!("sip:{username}:{}@{domain}{port};transport={transport}{maddr}", escaped(password))
}

/// RFC 3261 §25.1, `password`: what is neither unreserved nor one of its marks is escaped.
fn escaped(password: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte);
    password
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(udp: Option<u16>, tls: Option<u16>) -> Bound {
        let at = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        Bound { udp: udp.map(at), tcp: None, tls: tls.map(at) }
    }

    #[test]
    fn the_link_names_the_safest_transport_and_a_port_that_is_unusual() {
        let link = |bound| link("anna", "a@b:c", "gw.example.com", bound, None);
        assert_eq!(link(bound(Some(5060), Some(5061))), "sip:anna:a%40b%3Ac@gw.example.com;transport=tls");
        assert_eq!(link(bound(Some(5070), None)), "sip:anna:a%40b%3Ac@gw.example.com:5070;transport=udp");
    }

    #[test]
    fn the_link_names_the_advertised_address_as_a_host() {
        let link = |address: &str| {
            let advertised = Some(address.parse().unwrap());
            link("anna", "x", "gw.example.com", bound(Some(5060), None), advertised)
        };
        assert_eq!(link("192.0.2.1"), "sip:anna:x@gw.example.com;transport=udp;maddr=192.0.2.1");
        let link = link("2001:db8::1");
        assert_eq!(link, "sip:anna:x@gw.example.com;transport=udp;maddr=[2001:db8::1]");
        let uri = offdesk_sip::message::SipUri::parse(&link).unwrap();
        assert_eq!(uri.params.value("maddr"), Some("[2001:db8::1]"));
    }

    #[test]
    fn the_code_is_an_svg_picture() {
        let invitation = Invitation::new("anna", "secret", "gw.example.com", bound(Some(5060), None), None).unwrap();
        assert!(invitation.qr_code.contains("<svg") && !invitation.qr_code.contains("secret"));
    }
}
