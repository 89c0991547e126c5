//! The stand-in's calls over SIP, against a gateway that is played word by word.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod gateway;
#[path = "../support/mod.rs"]
mod support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

use gateway::{AGENT, Gateway, Invite, all, one, response};
use offdesk_sandbox::{CallStatus, ReservationStatus, TaskStatus};
use support::{Manual, Shared, receiver};

const RINGING: &str = "180 Ringing";

#[tokio::test]
async fn the_invite_is_as_twilios() {
    let gateway = Gateway::new();
    let (_, invite) = gateway.is_called(&[]).await;
    assert!(invite.0.starts_with(&format!("INVITE sip:ticket@{} SIP/2.0\r\n", gateway.address())));
    let vias = invite.all("Via");
    assert!(vias.len() == 2 && vias[1].starts_with("SIP/2.0/UDP 172.16.0.9:5060;"), "{vias:?}");
    let routes = invite.all("Record-Route");
    let outer = gateway.sandbox.sip_address().expect("SIP is on");
    assert_eq!(routes, [&format!("<sip:{outer};transport=udp;r2=on;lr>"), "<sip:127.0.0.1;r2=on;lr>"]);
    assert_eq!(invite.one("Contact"), "<sip:172.16.0.9:5060>");
    assert_eq!(invite.one("X-Twilio-CallSid"), gateway.leg().sid.as_str());
    assert_eq!(invite.one("X-Twilio-AccountSid"), gateway.sandbox.facts().account_sid);
    assert_eq!((invite.one("User-Agent"), invite.one("Min-SE")), ("Twilio Gateway", "120"));
    assert_eq!(invite.all("Allow"), ["INVITE,ACK,CANCEL,OPTIONS,BYE"]);
    assert!(invite.all("Supported").is_empty() && invite.all("Session-Expires").is_empty());
    for line in ["RTP/AVP 0 101\r\n", "a=rtpmap:101 telephone-event/8000\r\n", "a=ptime:20\r\n"] {
        assert!(invite.0.contains(line), "{line} in {}", invite.0);
    }
}

#[tokio::test]
async fn a_call_rings_is_answered_and_both_sides_hear_each_other() {
    let told = receiver();
    let gateway = Gateway::new();
    let more = [
        ("StatusCallback", told.url.as_str()),
        ("StatusCallbackEvent", "initiated ringing answered completed"),
        ("EndConferenceOnCustomerExit", "true"),
    ];
    let (call, invite) = gateway.is_called(&more).await;
    gateway.says(&invite.response(RINGING, &[], ""));
    gateway.until(|leg| leg.status == CallStatus::Ringing).await;
    let ack = gateway.answers(&invite);
    assert!(
        ack.starts_with(&format!("ACK sip:gateway@{} SIP/2.0", gateway.address())) && all(&ack, "Route").is_empty()
    );
    gateway.until(|leg| leg.status == CallStatus::InProgress).await;
    let state = gateway.sandbox.snapshot();
    assert_eq!(state.reservation_of(&call.task_sid).map(|row| row.status), Some(ReservationStatus::Accepted));
    // What the customer says is sent back: it hears itself.
    let mut packet = [0; 1024];
    for _ in 0..40 {
        let (length, twilio) = gateway.rtp.recv_from(&mut packet).expect("a packet of RTP");
        assert_eq!((length, packet[0], packet[1] & 0x7f), (172, 0x80, 0));
        gateway.rtp.send_to(&packet[..length], twilio).expect("it is sent");
    }
    gateway.until(|leg| leg.sound.is_some_and(|sound| sound.hears_hz == Some(660) && sound.says_hz == 660)).await;
    gateway.until(|leg| leg.sound.is_some_and(|sound| sound.hears_hz.is_none() && sound.level == 0)).await;
    gateway.sandbox.customer_hangs_up(&call.call_sid).expect("a live call");
    let bye = gateway.hears("BYE ");
    gateway.says(&response(&bye, "200 OK", &[], ""));
    gateway.until(|leg| leg.status == CallStatus::Completed).await;
    let statuses: Vec<_> = std::iter::from_fn(|| told.requests.recv_timeout(support::LIMIT).ok()).take(4).collect();
    for (request, wanted) in statuses.iter().zip(["initiated", "ringing", "in-progress", "completed"]) {
        assert!(request.contains(&format!("CallStatus={wanted}&")), "{wanted} in {request}");
    }
    assert!(statuses[3].contains("SipResponseCode=200"));
}

#[tokio::test]
async fn the_gateway_hangs_up_by_twilios_routes_and_is_not_heard_by_any_other_way() {
    let gateway = Gateway::new();
    let (call, invite) = gateway.is_called(&[]).await;
    gateway.answers(&invite);
    let routes = invite.all("Record-Route");
    for wrong in [&[][..], &routes[..1], &[routes[1], routes[0]]] {
        gateway.says(&invite.request("BYE", 1, wrong, ""));
    }
    assert!(gateway.hears_no("SIP/2.0"));
    assert_eq!(gateway.leg().status, CallStatus::InProgress);
    gateway.says(&invite.request("BYE", 2, &routes, ""));
    assert!(gateway.hears("SIP/2.0 ").starts_with("SIP/2.0 200 "));
    gateway.until(|leg| leg.status == CallStatus::Completed).await;
    let state = gateway.sandbox.snapshot();
    assert_eq!(state.task(&call.task_sid).map(|task| task.status), Some(TaskStatus::Assigned), "nobody has wrapped up");
}

#[tokio::test]
async fn a_refusal_ends_the_leg_with_twilios_status_and_its_code() {
    for (status, wanted) in [
        ("486 Busy Here", CallStatus::Busy),
        ("480 Temporarily Unavailable", CallStatus::NoAnswer),
        ("408 Request Timeout", CallStatus::NoAnswer),
        ("404 Not Found", CallStatus::Failed),
        ("503 Service Unavailable", CallStatus::Failed),
    ] {
        let told = receiver();
        let gateway = Gateway::new();
        let (call, invite) = gateway.is_called(&[("StatusCallback", &told.url)]).await;
        gateway.says(&invite.response(status, &[], ""));
        let ack = gateway.hears("ACK ");
        assert_eq!(one(&ack, "Via"), invite.all("Via")[0], "an ACK to a failure is of its INVITE's transaction");
        gateway.until(|leg| leg.status == wanted).await;
        let request = told.requests.recv_timeout(support::LIMIT).expect("a callback");
        assert!(request.contains(&format!("SipResponseCode={}", &status[..3])), "{request}");
        let rows = gateway.sandbox.snapshot();
        assert_eq!(rows.reservations_of(&call.task_sid)[0].status, ReservationStatus::Canceled);
    }
}

#[tokio::test]
async fn a_customer_who_hangs_up_while_it_rings_cancels_the_invite() {
    let gateway = Gateway::new();
    let (call, invite) = gateway.is_called(&[]).await;
    gateway.says(&invite.response(RINGING, &[], ""));
    gateway.until(|leg| leg.status == CallStatus::Ringing).await;
    gateway.sandbox.customer_hangs_up(&call.call_sid).expect("a live call");
    let cancel = gateway.hears("CANCEL ");
    assert_eq!(all(&cancel, "Via")[0], invite.all("Via")[0]);
    gateway.says(&response(&cancel, "200 OK", &[], ""));
    gateway.says(&invite.response("487 Request Terminated", &[], ""));
    gateway.hears("ACK ");
    assert!(gateway.leg().status.is_final());
}

#[tokio::test]
async fn nobody_answers_in_time_and_the_invite_is_cancelled() {
    let clock = Arc::new(Manual::default());
    let gateway = Gateway::of(|options| options.time = Arc::new(Shared(Arc::clone(&clock))));
    let (_, invite) = gateway.is_called(&[("Timeout", "10")]).await;
    gateway.says(&invite.response(RINGING, &[], ""));
    gateway.until(|leg| leg.status == CallStatus::Ringing).await;
    clock.turn(14);
    assert!(gateway.hears_no("CANCEL "), "Twilio adds 5 s");
    clock.turn(1);
    gateway.hears("CANCEL ");
    gateway.until(|leg| leg.status == CallStatus::NoAnswer).await;
}

#[tokio::test]
async fn a_challenge_is_answered_with_the_instructions_credentials() {
    let gateway = Gateway::new();
    let login = [("SipAuthUsername", "twilio"), ("SipAuthPassword", "secret")];
    let (_, invite) = gateway.is_called(&login).await;
    let challenge = "WWW-Authenticate: Digest realm=\"gw\", nonce=\"n\", algorithm=MD5";
    gateway.says(&invite.response("401 Unauthorized", &[challenge], ""));
    gateway.hears("ACK ");
    let again = Invite(gateway.hears("INVITE "));
    let credentials = again.one("Authorization");
    assert!(credentials.contains("username=\"twilio\"") && credentials.contains("nonce=\"n\""), "{credentials}");
    gateway.answers(&again);
    gateway.until(|leg| leg.status == CallStatus::InProgress).await;
}

#[tokio::test]
async fn a_hold_is_answered_and_the_customer_falls_silent() {
    let gateway = Gateway::new();
    let (_, invite) = gateway.is_called(&[]).await;
    gateway.answers(&invite);
    for (number, direction, answered) in [(1, "sendonly", "a=recvonly"), (2, "sendrecv", "a=sendrecv")] {
        gateway.says(&invite.request("INVITE", number, &invite.all("Record-Route"), &gateway.sdp(direction)));
        let answer = gateway.hears("SIP/2.0 200 ");
        assert!(answer.contains(answered), "{answer}");
        gateway.says(&invite.request("ACK", number, &invite.all("Record-Route"), ""));
        let (mut packet, twilio) = ([0; 1024], answer.lines().find_map(|line| line.strip_prefix("m=audio ")));
        let port = twilio.and_then(|rest| rest.split(' ').next()).expect("a port").parse().expect("a port");
        // Something to hear, so that it is told what goes on.
        packet[0] = 0x80;
        for _ in 0..10 {
            gateway.rtp.send_to(&packet[..172], ("127.0.0.1", port)).expect("it is sent");
        }
        let wanted = if direction == "sendonly" { 0 } else { 660 };
        gateway.until(|leg| leg.sound.is_some_and(|sound| sound.says_hz == wanted)).await;
    }
}

#[tokio::test]
async fn a_call_is_made_over_tcp_if_the_address_says_so() {
    let gateway = Gateway::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("a bound socket");
    let call = gateway.sandbox.place_call("+15550123");
    gateway.instruct(&call, &format!("sip:ticket@{at};transport=tcp"), &[]).await;
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(support::LIMIT)).expect("a socket");
    let invite = Invite(whole(&mut stream));
    assert!(invite.one("Record-Route").contains(";transport=tcp;") && invite.one("Via").starts_with("SIP/2.0/TCP "));
    let contact = format!("Contact: <sip:gateway@{at};transport=tcp>");
    stream.write_all(invite.response("200 OK", &[&contact], &gateway.sdp("sendrecv")).as_bytes()).expect("it is sent");
    assert!(whole(&mut stream).starts_with("ACK "));
    gateway.until(|leg| leg.status == CallStatus::InProgress).await;
    let bye = invite.request("BYE", 1, &invite.all("Record-Route"), "");
    stream.write_all(bye.as_bytes()).expect("it is sent");
    assert!(whole(&mut stream).starts_with("SIP/2.0 200 "));
    gateway.until(|leg| leg.status == CallStatus::Completed).await;
}

/// One message off a stream.
fn whole(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a message");
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes).into_owned();
            let mut body = vec![0; one(&head, "Content-Length").parse().expect("a length")];
            stream.read_exact(&mut body).expect("a body");
            return head + &String::from_utf8_lossy(&body);
        }
    }
}

#[tokio::test]
async fn a_leg_to_nobody_fails() {
    let gateway = Gateway::new();
    for to in ["sip:a@phones.example.com".to_owned(), "sip:a@127.0.0.1:1;transport=tcp".to_owned()] {
        let call = gateway.sandbox.place_call("+15550123");
        gateway.instruct(&call, &to, &[]).await;
        let failed = |state: &offdesk_sandbox::Snapshot| {
            state.calls.iter().any(|leg| leg.to == to && leg.status == CallStatus::Failed)
        };
        gateway.sandbox.wait_until(support::LIMIT, failed).await.expect("it fails");
        gateway.sandbox.customer_hangs_up(&call.call_sid).expect("a live call");
    }
    assert!(gateway.sandbox.snapshot().agent(AGENT).is_some());
}
