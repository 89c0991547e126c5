use super::*;

fn addr(text: &str) -> NameAddr<'_> {
    NameAddr::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn name_address_and_parameters_are_told_apart() {
    for (text, display, address, params) in [
        ("sip:anna@example.com", "", "sip:anna@example.com", ""),
        ("sip:anna@example.com;tag=1", "", "sip:anna@example.com", ";tag=1"),
        ("<sip:anna@example.com;lr>;tag=1", "", "sip:anna@example.com;lr", ";tag=1"),
        ("Anna B.<sip:anna@example.com>", "Anna B.", "sip:anna@example.com", ""),
        ("\"A, \\\"B\\\" <x>\"  <sip:anna@example.com> ; a = b", "A, \"B\" <x>", "sip:anna@example.com", " ; a = b"),
        ("Jürgen <sip:j@example.com>", "Jürgen", "sip:j@example.com", ""),
        ("<tel:+15550100>", "", "tel:+15550100", ""),
        ("<http://www.example.com>;tag=2", "", "http://www.example.com", ";tag=2"),
        ("<sip:a@b?Route=%3Csip:c%3E>", "", "sip:a@b?Route=%3Csip:c%3E", ""),
    ] {
        let parsed = addr(text);
        assert_eq!(parsed.display_name(), display, "{text}");
        assert_eq!((parsed.address, parsed.params.as_str()), (address, params), "{text}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "anna",
        "\"Mr. J. User <sip:j.user@example.com>",
        "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
        "\"Watson, Thomas\" < sip:t.watson@example.org >",
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        "\"Joe\" <sip:joe@example.org>;;;;",
        "<sip:joe@example.org",
        "<sip:joe@example.org>>",
        "sip:a@b, sip:c@d",
        "\"a\" sip:a@b",
    ] {
        assert_eq!(NameAddr::parse(text), None, "{text}");
    }
}

#[test]
fn a_contact_of_a_softphone_gives_all_that_it_says() {
    let contact = addr(
        "<sip:anna@192.0.2.7:5060;transport=udp;ob>;q=0.7;expires=600;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-\
         AABBCCDDEEFF>\";reg-id=1",
    );
    assert_eq!(contact.instance().unwrap(), "<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>");
    assert_eq!((contact.reg_id(), contact.expires()), (Some(1), Some(600)));
    assert_eq!(contact.q(), Some(Q::thousandths(700)));
    assert!(contact.uri().unwrap().sip().unwrap().params.has("ob"));
}

#[test]
fn numbers_out_of_range_are_none_or_the_largest() {
    for (params, expires, reg_id) in [
        (";expires=280297596632815", Some(u32::MAX), None),
        (";expires=\"1\";reg-id=0", None, None),
        (";expires=soon;reg-id=2147483648", None, None),
        (";expires;reg-id=2147483647", None, Some(2_147_483_647)),
    ] {
        let text = format!("<sip:a@b>{params}");
        let contact = addr(&text);
        assert_eq!((contact.expires(), contact.reg_id()), (expires, reg_id), "{params}");
    }
}

#[test]
fn a_preference_has_three_decimals_at_most() {
    for (text, q, printed) in
        [("0", 0, "0"), ("0.", 0, "0"), ("0.5", 500, "0.5"), ("1.000", 1000, "1"), ("0.033", 33, "0.033")]
    {
        assert_eq!(Q::parse(text), Some(Q::thousandths(q)), "{text}");
        assert_eq!(Q::thousandths(q).to_string(), printed);
    }
    for text in ["", "1.1", "2", "0.1234", ".5", "-1", "0.a", "00"] {
        assert_eq!(Q::parse(text), None, "{text}");
    }
}

#[test]
fn a_list_is_read_whole_or_not_at_all() {
    let list = |text| NameAddr::parse_list(text).map(|list| list.iter().map(|one| one.address).collect::<Vec<_>>());
    assert_eq!(list(" "), Some(vec![]));
    assert_eq!(list("<sip:a;lr>;x=\",\", sip:b"), Some(vec!["sip:a;lr", "sip:b"]));
    for broken in ["<sip:a>,", "<sip:a> <sip:b>", ",", "<sip:a>,,<sip:b>"] {
        assert_eq!(list(broken), None, "{broken}");
    }
}
