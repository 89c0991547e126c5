//! RFC 4475 §3.1.2: malformed.

use crate::case::{Answer::*, Case};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "badinv01",
        section: "3.1.2.1",
        about: "separators with nothing between them in Via and Contact",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=134161461246
Max-Forwards: 7
Call-ID: badinv01.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;;,;,,
Contact: \"Joe\" <sip:joe@example.org>;;;;
Content-Length: {length}
Content-Type: application/sdp

{sdp}",
    },
    Case {
        name: "clerr",
        section: "3.1.2.2",
        about: "a Content-Length beyond the datagram's end",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
Max-Forwards: 80
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=93942939o2
Contact: <sip:caller@hungry.example.net>
Call-ID: clerr.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523
Content-Type: application/sdp
Content-Length: 9999

{sdp}",
    },
    Case {
        name: "ncl",
        section: "3.1.2.3",
        about: "a Content-Length below nothing",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
Max-Forwards: 254
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=32394234
Call-ID: ncl.1
CSeq: 0 INVITE
Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw
Contact: <sip:caller@host53.example.net>
Content-Type: application/sdp
Content-Length: -999

{sdp}",
    },
    Case {
        name: "scalar02",
        section: "3.1.2.4",
        about: "numbers out of range in CSeq, Max-Forwards, Expires and Contact",
        answer: Refused(400),
        text: "REGISTER sip:gw.example.com SIP/2.0
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
To: <sip:bob@gw.example.com>
From: <sip:bob@gw.example.com>;tag=239232jh3
CSeq: 36893488147419103232 REGISTER
Call-ID: scalar02.1
Max-Forwards: 300
Expires: 10000000000000000000000000000000000000000000000000000000000000000000
Contact: <sip:bob@host129.example.com>
  ;expires=280297596632815
Content-Length: 0

",
    },
    Case {
        name: "scalarlg",
        section: "3.1.2.5",
        about: "numbers out of range in a response",
        answer: Dropped,
        text: "SIP/2.0 503 Service Unavailable
Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bKzzxdiwo34sw;received=192.0.2.129
To: <sip:bob@example.com>
From: <sip:other@example.net>;tag=2easdjfejw
CSeq: 9292394834772304023312 OPTIONS
Call-ID: scalarlg.1
Retry-After: 949302838503028349304023988
Warning: 1812 overture \"In Progress\"
Content-Length: 0

",
    },
    Case {
        name: "quotbal",
        section: "3.1.2.6",
        about: "a quote that does not end",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
To: \"Mr. B. User <sip:bob@gw.example.com>
From: sip:caller@example.net;tag=93334
Max-Forwards: 10
Call-ID: quotbal.1
Contact: <sip:caller@host59.example.net>
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234
Content-Type: application/sdp
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "ltgtruri",
        section: "3.1.2.7",
        about: "a Request-URI in angle brackets",
        answer: Refused(400),
        text: "INVITE <sip:bob@gw.example.com> SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=39291
Max-Forwards: 23
Call-ID: ltgtruri.1@192.0.2.5
CSeq: 1 INVITE
Via: SIP/2.0/UDP 192.0.2.5
Contact: <sip:caller@host5.example.net>
Content-Type: application/sdp
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "lwsruri",
        section: "3.1.2.8",
        about: "white space in the Request-URI",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com; lr SIP/2.0
To: sip:bob@gw.example.com;tag=3xfe-9921883-z9f
From: sip:caller@example.net;tag=231413434
Max-Forwards: 5
Call-ID: lwsruri.1
CSeq: 2130706432 INVITE
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395
Contact: <sip:caller@host1.example.net>
Content-Type: application/sdp
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "lwsstart",
        section: "3.1.2.9",
        about: "two spaces between the start line's parts",
        answer: Refused(400),
        text: "INVITE  sip:bob@gw.example.com  SIP/2.0
Max-Forwards: 8
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=8814
Call-ID: lwsstart.1@example.com
CSeq: 1893884 INVITE
Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923
Contact: <sip:caller@host1.example.net>
Content-Type: application/sdp
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "trws",
        section: "3.1.2.10",
        about: "white space behind the version",
        answer: Refused(400),
        text: "OPTIONS sip:remote-target@gw.example.com SIP/2.0  \nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bK299342093
To: <sip:remote-target@gw.example.com>
From: <sip:local-resource@example.com>;tag=329429089
Call-ID: trws.1
Accept: application/sdp
CSeq: 238923 OPTIONS
Max-Forwards: 70
Content-Length: 0

",
    },
    Case {
        name: "escruri",
        section: "3.1.2.11",
        about: "headers in the Request-URI",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com?Route=%3Csip:example.com%3E SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=341518
Max-Forwards: 7
Contact: <sip:caller@host39923.example.net>
Call-ID: escruri.1
CSeq: 149209342 INVITE
Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkdjuw
Content-Type: application/sdp
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "baddate",
        section: "3.1.2.12",
        about: "a Date of no known time zone, which nobody asks for",
        answer: Taken,
        text: "INVITE sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=2234923
Max-Forwards: 70
Call-ID: baddate.1
CSeq: 1392934 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
Date: Fri, 01 Jan 2010 16:00:00 EST
Contact: <sip:caller@host5.example.net>
Content-Type: application/sdp
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "regbadct",
        section: "3.1.2.13",
        about: "a Contact with headers that is not in angle brackets",
        answer: Refused(400),
        text: "REGISTER sip:gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=998332
Max-Forwards: 70
Call-ID: regbadct.1@10.0.0.1
CSeq: 1 REGISTER
Via: SIP/2.0/UDP 192.0.2.133:5060;branch=z9hG4bKkdjuw
Contact: sip:bob@example.com?Route=%3Csip:sip.example.com%3E
l: 0

",
    },
    Case {
        name: "badaspec",
        section: "3.1.2.14",
        about: "white space within angle brackets",
        answer: Refused(400),
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234
Max-Forwards: 70
From: \"Bell, Alexander\" <sip:a.g.bell@example.com>;tag=433423
To: \"Watson, Thomas\" < sip:t.watson@gw.example.com >
Call-ID: badaspec.1
Accept: application/sdp
CSeq: 3923239 OPTIONS
l: 0

",
    },
    Case {
        name: "baddn",
        section: "3.1.2.15",
        about: "commas in names without quotes",
        answer: Refused(400),
        text: "OPTIONS sip:t.watson@gw.example.com SIP/2.0
Via:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw
Max-Forwards:      70
From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43
To:      Watson, Thomas <sip:t.watson@gw.example.com>
Call-ID: baddn.1@c.example.com
Accept: application/sdp
CSeq:    3923239 OPTIONS
l: 0

",
    },
    Case {
        name: "badvers",
        section: "3.1.2.16",
        about: "a version that is to come",
        answer: Refused(505),
        text: "OPTIONS sip:t.watson@gw.example.com SIP/7.0
Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw
Max-Forwards:     70
From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe
To:      T. Watson <sip:t.watson@gw.example.com>
Call-ID: badvers.1@c.example.com
CSeq:    1 OPTIONS
l: 0

",
    },
    Case {
        name: "mismatch01",
        section: "3.1.2.17",
        about: "CSeq names another method that is known",
        answer: Refused(400),
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=34525
Max-Forwards: 6
Call-ID: mismatch01.1
CSeq: 8 INVITE
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
l: 0

",
    },
    Case {
        name: "mismatch02",
        section: "3.1.2.18",
        about: "CSeq names another method than one that nobody knows",
        answer: Refused(400),
        text: "NEWMETHOD sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=34525
Max-Forwards: 6
Call-ID: mismatch02.1
CSeq: 8 INVITE
Contact: <sip:caller@host.example.net>
Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw
Content-Type: application/sdp
l: {length}

{sdp}",
    },
    Case {
        name: "bigcode",
        section: "3.1.2.19",
        about: "a response code of ten digits",
        answer: Dropped,
        text: "SIP/2.0 4294967301 better not break the receiver
Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: bigcode.1
CSeq: 353494 INVITE
From: <sip:bob@example.com>;tag=39ansfi3
To: <sip:bob@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:bob@host105.example.com>

",
    },
];
