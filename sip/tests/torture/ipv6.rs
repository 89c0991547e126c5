//! RFC 5118 §4: IPv6 addresses where they are right, and where they are not.

use crate::case::{Answer::*, Case};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "ipv6-good",
        section: "4.1",
        about: "an IPv6 address as host",
        answer: Registered,
        text: "REGISTER sip:[2001:db8::10] SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: ipv6-good.1
Max-Forwards: 70
Contact: \"Caller\" <sip:caller@[2001:db8::1]>
CSeq: 98176 REGISTER
Content-Length: 0

",
    },
    Case {
        name: "ipv6-bad",
        section: "4.2",
        about: "an IPv6 address as host without brackets",
        answer: Refused(400),
        text: "REGISTER sip:2001:db8::10 SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: ipv6-bad.1
Max-Forwards: 70
Contact: \"Caller\" <sip:caller@[2001:db8::1]>
CSeq: 98176 REGISTER
Content-Length: 0

",
    },
    Case {
        name: "port-ambiguous",
        section: "4.3",
        about: "a port within the brackets, which is part of the address",
        answer: Registered,
        text: "REGISTER sip:[2001:db8::10:5070] SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: port-ambiguous.1
Contact: \"Caller\" <sip:caller@[2001:db8::1]>
Max-Forwards: 70
CSeq: 98176 REGISTER
Content-Length: 0

",
    },
    Case {
        name: "port-unambiguous",
        section: "4.4",
        about: "a port behind the brackets",
        answer: Registered,
        text: "REGISTER sip:[2001:db8::10]:5070 SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
Call-ID: port-unambiguous.1
Contact: \"Caller\" <sip:caller@[2001:db8::1]>
Max-Forwards: 70
CSeq: 98176 REGISTER
Content-Length: 0

",
    },
    Case {
        name: "via-received-param-with-delim",
        section: "4.5",
        about: "an IPv6 address in received with brackets, as some write it",
        answer: Taken,
        text: "OPTIONS sip:[2001:db8::10] SIP/2.0
To: sip:bob@gw.example.com
From: sip:anna@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111
Call-ID: via-received.1
Max-Forwards: 70
CSeq: 98176 OPTIONS
Content-Length: 0

",
    },
    Case {
        name: "via-received-param-no-delim",
        section: "4.5",
        about: "the same without, as the grammar has it",
        answer: Taken,
        text: "OPTIONS sip:[2001:db8::10] SIP/2.0
To: sip:bob@gw.example.com
From: sip:anna@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3
Call-ID: via-received.2
Max-Forwards: 70
CSeq: 98176 OPTIONS
Content-Length: 0

",
    },
    Case {
        name: "mult-ip-in-header",
        section: "4.7",
        about: "hops of both families",
        answer: Taken,
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144
Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200
Call-ID: mult-ip.1
From: <sip:caller@example.com>;tag=87
To: Bob <sip:bob@[2001:db8::10]>
CSeq: 98176 OPTIONS
Max-Forwards: 68
Content-Length: 0

",
    },
    Case {
        name: "ipv4-mapped-ipv6",
        section: "4.9",
        about: "IPv4 addresses within IPv6",
        answer: Registered,
        text: "REGISTER sip:bob@gw.example.com SIP/2.0
Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19
Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111
Call-ID: mapped.1
From: Bob <sip:bob@gw.example.com>;tag=ty3
To: Bob <sip:bob@gw.example.com>
Contact: <sip:bob@[::ffff:192.0.2.2]:19823;transport=udp>
CSeq: 98176 REGISTER
Max-Forwards: 70
Content-Length: 0

",
    },
    Case {
        name: "ipv6-bug-abnf-3-colons",
        section: "4.10",
        about: "three colons in an address, where the grammar of RFC 3261 was wrong",
        answer: Refused(400),
        text: "OPTIONS sip:bob@[2001:db8:::192.0.2.1] SIP/2.0
To: sip:bob@gw.example.com
From: sip:anna@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
CSeq: 8321 OPTIONS
Call-ID: colons.1
Max-Forwards: 70
Content-Length: 0

",
    },
    Case {
        name: "ipv6-correct-abnf-2-colons",
        section: "4.10",
        about: "the same address as it should be",
        answer: Taken,
        text: "OPTIONS sip:bob@[2001:db8::192.0.2.1] SIP/2.0
To: sip:bob@gw.example.com
From: sip:anna@example.com;tag=81x2
Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111
CSeq: 8321 OPTIONS
Call-ID: colons.2
Max-Forwards: 70
Content-Length: 0

",
    },
];
