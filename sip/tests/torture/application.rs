//! RFC 4475 §3.2 to §3.4: well formed, but hard to serve.

use crate::case::{Answer::*, Case};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "badbranch",
        section: "3.2.1",
        about: "a branch of nothing but the magic cookie: matched as RFC 2543 has it",
        answer: Taken,
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK
Accept: application/sdp
Call-ID: badbranch.1
CSeq: 8 OPTIONS
l: 0

",
    },
    Case {
        name: "insuf",
        section: "3.3.1",
        about: "no Call-ID, From or To",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
CSeq: 193942 INVITE
Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
Content-Type: application/sdp
l: {length}

{sdp}",
    },
    Case {
        name: "unkscm",
        section: "3.3.2",
        about: "a Request-URI of a scheme that nobody knows",
        answer: Refused(416),
        text: "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=384
Max-Forwards: 3
Call-ID: unkscm.1
CSeq: 3923423 OPTIONS
Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
Content-Length: 0

",
    },
    Case {
        name: "novelsc",
        section: "3.3.3",
        about: "a Request-URI of a scheme that is known, but not to SIP",
        answer: Refused(416),
        text: "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=384
Max-Forwards: 3
Call-ID: novelsc.1
CSeq: 3923423 OPTIONS
Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
Content-Length: 0

",
    },
    Case {
        name: "unksm2",
        section: "3.3.4",
        about: "To, From and Contact of schemes that nobody knows",
        answer: Refused(400),
        text: "REGISTER sip:gw.example.com SIP/2.0
To: isbn:2983792873
From: <http://www.example.com>;tag=3234233
Call-ID: unksm2.1@hyphenated-host.example.com
CSeq: 234902 REGISTER
Max-Forwards: 70
Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw
Contact: <name:John_Smith>
l: 0

",
    },
    Case {
        name: "bext01",
        section: "3.3.5",
        about: "extensions that nobody knows in Require and Proxy-Require, all named in Unsupported",
        answer: Refused(420),
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=242etr
Max-Forwards: 6
Call-ID: bext01.1
Require: nothingSupportsThis, nothingSupportsThisEither
Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis
CSeq: 8 OPTIONS
Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw
Content-Length: 0

",
    },
    Case {
        name: "invut",
        section: "3.3.6",
        about: "a body of a type that nobody knows; Accept names those that are",
        answer: Refused(415),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
Contact: <sip:caller@host5.example.net>
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=8392034
Max-Forwards: 70
Call-ID: invut.1
CSeq: 235448 INVITE
Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw
Content-Type: application/unknownformat
Content-Length: 21

<audio>
 x
</audio>
",
    },
    Case {
        name: "regaut01",
        section: "3.3.7",
        about: "credentials of a scheme that nobody knows, which are none",
        answer: Registered,
        text: "REGISTER sip:gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=87321hj23128
Max-Forwards: 8
Call-ID: regaut01.1
CSeq: 9338 REGISTER
Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw
Authorization: NoOneKnowsThisScheme opaque-data=here
Content-Length:0

",
    },
    Case {
        name: "multi01",
        section: "3.3.8",
        about: "CSeq, Call-ID, To, From and Max-Forwards twice",
        answer: Refused(400),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
Contact: <sip:caller@host25.example.net>
Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
Max-Forwards: 70
CSeq: 5 INVITE
Call-ID: multi01.1@192.0.2.1
CSeq: 59 INVITE
Call-ID: multi01.1@192.0.2.2
From: sip:caller@example.com;tag=3413415
To: sip:bob@gw.example.com
To: sip:other@example.net
From: sip:caller@example.net;tag=2923420123
Content-Type: application/sdp
l: {length}
Contact: <sip:caller@host36.example.net>
Max-Forwards: 5

{sdp}",
    },
    Case {
        name: "mcl01",
        section: "3.3.9",
        about: "two lengths of one body",
        answer: Refused(400),
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423
To: sip:bob@gw.example.com
From: sip:other@example.net;tag=3923942
Call-ID: mcl01.1
CSeq: 15932 OPTIONS
Content-Length: 13
Max-Forwards: 60
Content-Length: 5
Content-Type: text/plain

There's no way to know how many octets are supposed to be here.
",
    },
    Case {
        name: "bcast",
        section: "3.3.10",
        about: "a response with a second Via, of a broadcast address",
        answer: Dropped,
        text: "SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
Call-ID: bcast.1
CSeq: 35 INVITE
From: sip:bob@example.com;tag=11141343
To: sip:bob@example.edu;tag=2229
Content-Length: {length}
Content-Type: application/sdp
Contact: <sip:bob@host28.example.com>

{sdp}",
    },
    Case {
        name: "zeromf",
        section: "3.3.11",
        about: "no hop left, which the last hop does not need",
        answer: Taken,
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.net;tag=3ghsd41
Call-ID: zeromf.1
CSeq: 39234321 OPTIONS
Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i
Max-Forwards: 0
Content-Length: 0

",
    },
    Case {
        name: "cparam01",
        section: "3.3.12",
        about: "a parameter behind a Contact without brackets is Contact's",
        answer: Registered,
        text: "REGISTER sip:gw.example.com SIP/2.0
Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
Max-Forwards: 70
From: sip:watson@gw.example.com;tag=DkfVgjkrtMwaerKKpe
To: sip:watson@gw.example.com
Call-ID: cparam01.1@saturn.example.com
CSeq: 2 REGISTER
Contact: sip:+15550122@gw1.example.net;unknownparam
l: 0

",
    },
    Case {
        name: "cparam02",
        section: "3.3.13",
        about: "a parameter within a Contact's brackets is the URI's",
        answer: Registered,
        text: "REGISTER sip:gw.example.com SIP/2.0
Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw
Max-Forwards: 70
From: sip:watson@gw.example.com;tag=838293
To: sip:watson@gw.example.com
Call-ID: cparam02.1@saturn.example.com
CSeq: 3 REGISTER
Contact: <sip:+15550122@gw1.example.net;unknownparam>
l: 0

",
    },
    Case {
        name: "regescrt",
        section: "3.3.14",
        about: "headers in a Contact's URI, which are kept",
        answer: Registered,
        text: "REGISTER sip:gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=8
Max-Forwards: 70
Call-ID: regescrt.1@192.0.2.1
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
M: <sip:bob@example.com?Route=%3Csip:sip.example.com%3E>
L:0

",
    },
    Case {
        name: "sdp01",
        section: "3.3.15",
        about: "an INVITE whose answer may not be SDP",
        answer: Refused(406),
        text: "INVITE sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
Contact: <sip:caller@host15.example.net>
From: sip:caller@example.net;tag=234
Max-Forwards: 5
Call-ID: sdp01.1
Accept: text/nobodyKnowsThis
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw
Content-Length: {length}
Content-Type: application/sdp

{sdp}",
    },
    Case {
        name: "inv2543",
        section: "3.4.1",
        about: "an INVITE of RFC 2543: no tag, branch, Max-Forwards or Content-Length",
        answer: Taken,
        text: "INVITE sip:UserB@gw.example.com SIP/2.0
Via: SIP/2.0/UDP iftgw.example.com
From: <sip:+15550111@ift.client.example.net;user=phone>
Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
To: sip:+15550122@ss1.example.net;user=phone
Call-ID: inv2543.1@ift.client.example.com
CSeq: 56 INVITE
Content-Type: application/sdp

{sdp}",
    },
];
