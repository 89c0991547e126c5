use super::*;

fn sip(text: &str) -> SipUri<'_> {
    SipUri::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn every_part_is_where_it_belongs() {
    let uri = sip("sips:anna;x=1:secret@[2001:db8::1]:5061;transport=tls;lr?Subject=a%20b&To=");
    assert!(uri.secure);
    assert_eq!((uri.user, uri.password), (Some("anna;x=1"), Some("secret")));
    assert_eq!(uri.host.ip(), Some("2001:db8::1".parse().unwrap()));
    assert_eq!((uri.port, uri.params.value("transport"), uri.params.has("lr")), (Some(5061), Some("tls"), true));
    assert_eq!(uri.headers, "Subject=a%20b&To=");
    let uri = sip("SIP:example.com");
    assert_eq!((uri.user, uri.host, uri.port_or_default()), (None, Host::Name("example.com"), 5060));
}

#[test]
fn a_push_token_with_colons_stays_whole() {
    let uri = sip("sip:anna@192.0.2.1;pn-provider=fcm;pn-param=project;pn-prid=x:y_z-1");
    assert_eq!(uri.params.value("pn-prid"), Some("x:y_z-1"));
}

#[test]
fn other_schemes_are_told_apart() {
    assert_eq!(
        Uri::parse("soap.beep://192.0.2.103:3002"),
        Some(Uri::Other { scheme: "soap.beep", rest: "//192.0.2.103:3002" })
    );
    let Some(Uri::Tel(tel)) = Uri::parse("tel:+1-201-555-0123;phone-context=example.com") else { panic!() };
    assert_eq!((tel.number, tel.params.value("phone-context")), ("+1-201-555-0123", Some("example.com")));
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        "sip:@example.com",
        "sip:anna@",
        "sip:anna@bob@example.com",
        "sip:anna@example.com:",
        "sip:anna@example.com:0",
        "sip:anna@example.com:65536",
        "sip:anna@example.com; lr",
        "sip:anna@example.com;",
        "sip:an na@example.com",
        "sip:an\"na@example.com",
        "sip:a%4@example.com",
        "sip:anna@example.com?",
        "sip:anna@example.com?Subject",
        "sip:anna@example.com?a=b&",
        "sip:änna@example.com",
        "<sip:anna@example.com>",
        "sip:anna@exa\r\nmple.com",
        "tel:",
        "tel:+",
        "tel:anna",
        "tel:+49+15",
        "1http://example.com",
        "http:",
        "http://exa mple.com",
    ] {
        assert_eq!(Uri::parse(text), None, "{text}");
    }
}

/// The examples of RFC 3261 §19.1.4.
#[test]
fn uris_that_are_equivalent_are_the_same() {
    for (one, other) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"),
        ("sip:a@b;q=1;q=2", "sip:a@b;q=1;q=2"),
        ("sip:a@b;q=1;q=2", "sip:a@b;Q=1"),
    ] {
        assert!(Uri::parse(one).unwrap().is_same(&Uri::parse(other).unwrap()), "{one} {other}");
    }
}

/// The examples of RFC 3261 §19.1.4.
#[test]
fn uris_that_are_not_equivalent_are_not_the_same() {
    for (one, other) in [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a%3Bb@example.com", "sip:a;b@example.com"),
        ("sip:a@example.com", "sips:a@example.com"),
        ("sip:a@example.com;maddr=192.0.2.1", "sip:a@example.com"),
        ("sip:null-%00-null@example.com", "sip:null-@example.com"),
        ("sip:+12015550123@example.com", "tel:+12015550123"),
    ] {
        assert!(!Uri::parse(one).unwrap().is_same(&Uri::parse(other).unwrap()), "{one} {other}");
        assert!(!Uri::parse(other).unwrap().is_same(&Uri::parse(one).unwrap()), "{other} {one}");
    }
}
