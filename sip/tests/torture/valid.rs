//! RFC 4475 §3.1.1: odd, and right.

use crate::case::{Answer::*, Case};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "wsinv",
        section: "3.1.1.1",
        about: "folds and white space wherever they may be, compact names, joined Vias, empty Subject",
        answer: Taken,
        text: "INVITE sip:bob@gw.example.com;unknownparam SIP/2.0
TO :
 sip:bob@gw.example.com ;   tag    = 77n
from   : \"A. Person \\\\\\\"\"       <sip:anna@example.net>
  ;
  tag = 98a
MaX-fOrWaRdS: 0068
Call-ID: wsinv.1@192.0.2.1
Content-Length   : {length}
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route:
 <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v:  SIP  / 2.0  / TCP     far.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.0.2.111   ; branch=
 z9hG4bK30239
m:\"Quoted string \\\"\\\"\" <sip:anna@example.net> ; newparam =
      newvalue ;
  secondparam ; q = 0.33

{sdp}",
    },
    Case {
        name: "intmeth",
        section: "3.1.1.2",
        about: "every character that each part may have, in a method that nobody knows",
        answer: Refused(501),
        text: "!odd-Method0123456789_*+`.%indeed'~ sip:1_odd.URI~(to-be!sure)&isn't+it$/mad?,/;;*:&it+has=1,odd!*pa$$wo~d_too.(it's)@gw.example.com SIP/2.0
Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~
To: \"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\" <sip:1_odd.URI~(to-be!sure)&isn't+it$/mad?,/;;*@gw.example.com>
From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.
Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{
CSeq: 139122385 !odd-Method0123456789_*+`.%indeed'~
Max-Forwards: 255
extensionHeader-!.%*+_`'~:\u{feff}大停電
Content-Length: 0

",
    },
    Case {
        name: "esc01",
        section: "3.1.1.3",
        about: "escapes in users, parameters and values",
        answer: Taken,
        text: "INVITE sip:sips%3Abob%40example.com@gw.example.com SIP/2.0
To: sip:%62o%62@gw.example.com
From: <sip:I%20have%20spaces@example.net>;tag=938
Max-Forwards: 87
i: esc01.1
CSeq: 234234 INVITE
Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw
C: application/sdp
Contact:
  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>
Content-Length: {length}

{sdp}",
    },
    Case {
        name: "escnull",
        section: "3.1.1.4",
        about: "escaped NULs in users, which are users of their own",
        answer: Registered,
        text: "REGISTER sip:gw.example.com SIP/2.0
To: sip:null-%00-null@gw.example.com
From: sip:null-%00-null@gw.example.com;tag=839923423
Max-Forwards: 70
Call-ID: escnull.1
CSeq: 14398234 REGISTER
Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw
Contact: <sip:%00@host5.example.com>
Contact: <sip:%00%00@host5.example.com>
L:0

",
    },
    Case {
        name: "esc02",
        section: "3.1.1.5",
        about: "percent signs where they escape nothing: a method and a header that nobody knows",
        answer: Refused(501),
        text: "RE%47IST%45R sip:gw.example.com SIP/2.0
To: \"%Z%45\" <sip:resource@gw.example.com>
From: \"%Z%45\" <sip:resource@gw.example.com>;tag=f232jadfj23
Call-ID: esc02.1
Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234
CSeq: 29344 RE%47IST%45R
Max-Forwards: 70
Contact: <sip:alias1@host1.example.com>
C%6Fntact: <sip:alias2@host2.example.com>
Contact: <sip:alias3@host3.example.com>
l: 0

",
    },
    Case {
        name: "lwsdisp",
        section: "3.1.1.6",
        about: "no white space between a name and its address",
        answer: Taken,
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: caller<sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID: lwsdisp.1@odd.example.com
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP odd.example.com;branch=z9hG4bKkdjuw
l: 0

",
    },
    Case {
        name: "longreq",
        section: "3.1.1.7",
        about: "long values, and 34 hops",
        answer: Taken,
        text: LONG,
    },
    Case {
        name: "dblreq",
        section: "3.1.1.8",
        about: "a second request behind the first in a datagram, which is passed over",
        answer: Registered,
        text: "REGISTER sip:gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:bob@gw.example.com;tag=43251j3j324
Max-Forwards: 8
I: dblreq.1
Contact: sip:bob@host.example.com
CSeq: 8 REGISTER
Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
Content-Length: 0


INVITE sip:joe@gw.example.com SIP/2.0
t: sip:joe@gw.example.com
From: sip:caller@example.net;tag=141334
Max-Forwards: 8
Call-ID: dblreq.2@192.0.2.15
CSeq: 8 INVITE
Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234
Content-Type: application/sdp
Content-Length: {length}

{sdp}
",
    },
    Case {
        name: "semiuri",
        section: "3.1.1.9",
        about: "a semicolon in a user",
        answer: Taken,
        text: "OPTIONS sip:bob;par=u%40example.net@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: sip:caller@example.org;tag=33242
Max-Forwards: 3
Call-ID: semiuri.1
CSeq: 8 OPTIONS
Accept: application/sdp, application/pkcs7-mime,
        multipart/mixed, multipart/signed,
        message/sip, message/sipfrag
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
l: 0

",
    },
    Case {
        name: "transports",
        section: "3.1.1.10",
        about: "transports that nobody knows, in Vias",
        answer: Taken,
        text: "OPTIONS sip:bob@gw.example.com SIP/2.0
To: sip:bob@gw.example.com
From: <sip:caller@example.com>;tag=323
Max-Forwards: 70
Call-ID:  transports.1
Accept: application/sdp
CSeq: 60 OPTIONS
Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw
Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf
Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj
Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en
Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee
l: 0

",
    },
    Case {
        name: "mpart01",
        section: "3.1.1.11",
        about: "a body that is no text, in a method that is not served",
        answer: Refused(405),
        text: "MESSAGE sip:kumiko@gw.example.com SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport
Max-Forwards: 70
Route: <sip:127.0.0.1:5080>
Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuLIK0YWVKZhKv9Mj8UeXqkMVbnVq37CD+813gvYjcBUaZngQmXc9WNZSDNGCzA=
Contact: <sip:fluffy@127.0.0.1:5070>
To: <sip:kumiko@gw.example.com>
From: <sip:fluffy@example.com>;tag=2fb0dcc9
Call-ID: mpart01.1@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
CSeq: 1 MESSAGE
Content-Transfer-Encoding: binary
Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
Date: Sat, 15 Oct 2005 04:44:56 GMT
User-Agent: Odd/0.2.5 (curses)
Content-Length: 119

--7a9cbec02ceef655
Content-Type: application/octet-stream
Content-Transfer-Encoding: binary

{binary}
--7a9cbec02ceef655--
",
    },
    Case {
        name: "unreason",
        section: "3.1.1.12",
        about: "a reason phrase beyond ASCII",
        answer: Taken,
        text: "SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое
Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
Call-ID: unreason.1
CSeq: 35 INVITE
From: sip:bob@example.com;tag=11141343
To: sip:bob@example.edu;tag=2229
Content-Length: {length}
Content-Type: application/sdp
Contact: <sip:bob@host198.example.com>

{sdp}",
    },
    Case {
        name: "noreason",
        section: "3.1.1.13",
        about: "an empty reason phrase",
        answer: Taken,
        text: "SIP/2.0 100 \nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
Call-ID: noreason.1
CSeq: 35 INVITE
From: <sip:bob@example.com>;tag=39ansfi3
To: <sip:bob@example.edu>;tag=902jndnke3
Content-Length: 0
Contact: <sip:bob@host105.example.com>

",
    },
];

const LONG: &str = concat!(
    "INVITE sip:bob@gw.example.com SIP/2.0\nTo: \"I have a user name of ",
    "extremeextremeextremeextremeextremeextremeextremeextremeextremeextreme proportion\"<sip:bob@gw.example.com:6000;",
    "unknownparam1=verylonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglongvalue;",
    "longparamnamenamenamenamenamenamenamenamenamenamenamenamenamenamenamenamenamenamenamename=shortvalue;",
    "verylonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglongParameterNameWithNoValue>\n",
    "F: sip:amazinglylongcallernameamazinglylongcallernameamazinglylongcallernameamazinglylongcallername@example.net;tag=",
    "12982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982982424;",
    "unknownheaderparamnamenamenamenamenamenamenamenamenamename=unknowheaderparamvaluevaluevaluevaluevaluevalue;",
    "unknownValuelessparamnameparamnameparamnameparamnameparamnameparamnameparamname\n",
    "Call-ID: longreq.onereallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallyreallylongcallid\n",
    "CSeq: 3882340 INVITE\n",
    "Unknown-LongLongLongLongLongLongLongLongLongLongLongLongLong-Name: unknown-longlonglonglonglonglong-value; ",
    "unknown-longlonglonglonglonglonglonglonglong-parameter-name = unknown-longlonglonglonglong-parameter-value\n",
    "Via: SIP/2.0/TCP s33.example.com\nv: SIP/2.0/TCP s32.example.com\nV: SIP/2.0/TCP s31.example.com\n",
    "Via: SIP/2.0/TCP s30.example.com\nViA: SIP/2.0/TCP s29.example.com\nVIa: SIP/2.0/TCP s28.example.com\n",
    "VIA: SIP/2.0/TCP s27.example.com\nvia: SIP/2.0/TCP s26.example.com\nviA: SIP/2.0/TCP s25.example.com\n",
    "vIa: SIP/2.0/TCP s24.example.com\nvIA: SIP/2.0/TCP s23.example.com\nV :  SIP/2.0/TCP s22.example.com\n",
    "v :  SIP/2.0/TCP s21.example.com\nV  : SIP/2.0/TCP s20.example.com\nv  : SIP/2.0/TCP s19.example.com\n",
    "Via : SIP/2.0/TCP s18.example.com\nVia  : SIP/2.0/TCP s17.example.com\nVia: SIP/2.0/TCP s16.example.com\n",
    "Via: SIP/2.0/TCP s15.example.com\nVia: SIP/2.0/TCP s14.example.com\nVia: SIP/2.0/TCP s13.example.com\n",
    "Via: SIP/2.0/TCP s12.example.com\nVia: SIP/2.0/TCP s11.example.com\nVia: SIP/2.0/TCP s10.example.com\n",
    "Via: SIP/2.0/TCP s9.example.com\nVia: SIP/2.0/TCP s8.example.com\nVia: SIP/2.0/TCP s7.example.com\n",
    "Via: SIP/2.0/TCP s6.example.com\nVia: SIP/2.0/TCP s5.example.com\nVia: SIP/2.0/TCP s4.example.com\n",
    "Via: SIP/2.0/TCP s3.example.com\nVia: SIP/2.0/TCP s2.example.com\nVia: SIP/2.0/TCP s1.example.com\n",
    "Via: SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=",
    "verylonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglongbranchvalue\n",
    "Max-Forwards: 70\nContact: <sip:amazinglylongcallernameamazinglylongcallername@host5.example.net>\n",
    "Content-Type: application/sdp\nl: {length}\n\n{sdp}",
);
