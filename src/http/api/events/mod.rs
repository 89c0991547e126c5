//! Live events: a WebSocket (RFC 6455) on which an agent's app sees what happens. First comes a snapshot or what was missed, and
//! then each event once, in order.

mod connection;
mod connections;
mod frames;

use actix_web::{HttpRequest, web};
use serde::Deserialize;
use utoipa::IntoParams;

pub use self::connections::Connections;
pub(super) use self::frames::{Frame, FromClient};
use self::{connection::Connection, connections::Full};
use super::{
    Answer, Api,
    auth::{By, SignedIn},
    failure::Failure,
};
use crate::{actors::ask, http::problem::unavailable, sessions::NoSession};

/// What a client may send at a time: it has little to say.
const MAX_FRAME: usize = 4 * 1024;

/// Outside the scope of other calls: what bounds the time of their bodies would end this.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/api/v1/events", web::get().to(stream));
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// `seq` of the last frame that was seen: what came behind it follows, if that is still known, else a snapshot
    after: Option<u64>,
}

/// Live events, as a WebSocket
///
/// Text frames with one JSON object each, of the schema `Frame`: first a `snapshot` with `seq`, or, with `?after=`, the events behind
/// that one if the server still has them; then each event once, `seq` rising by one. A client sends `FromClient`: which
/// conversation the agent is looking at. The bearer token, or the cookie with the app's own `Origin`, says whose events they are.
///
/// Codes of the close: 1012 the gateway restarts and 1013 the client was too slow, both worth coming back with `?after=`; 4401 the
/// session is over, with the code of the 401 as the reason; 4408 nothing was heard for 35 s (answer pings); 4409 more than 8
/// connections; 1002, 1003, 1007 and 1009 for what is not understood.
#[utoipa::path(
    get, operation_id = "streamEvents", path = "/events", tag = "events", params(Query),
    responses(
        (status = 101, description = "The connection is a WebSocket from here on; its frames", body = Frame, content_type = "application/json",
            example = json!({"type": "unread", "seq": 3_672_100_123_456_789_u64, "conversation": "CH0123456789abcdef0123456789abcdef", "unread": 2, "total": 5})),
        (status = 400, description = "That is no handshake of a WebSocket"),
        (status = 403, description = "`foreign_origin`: with the cookie, the handshake names the app's own origin"),
        (status = 422, description = "`after` is no whole number"),
        (status = 503, description = "`no_answer`, or `full`: there are too many connections; try again"),
    ),
)]
pub(super) async fn stream(
    api: web::Data<Api>,
    SignedIn { who, by }: SignedIn,
    request: HttpRequest,
    body: web::Payload,
) -> Answer {
    // Browsers name the origin of every handshake. Without it, it is not the app's page that asks.
    if by == By::Cookie && !request.headers().contains_key("origin") {
        return Err(Failure::ForeignOrigin);
    }
    let query = web::Query::<Query>::from_query(request.query_string());
    let after = query.map_err(|_| Failure::Invalid("expected a whole number for \"after\""))?.after;
    let opened = actix_ws::handle(&request, body);
    let (response, session, client) =
        opened.map_err(|_| Failure::Malformed("expected the handshake of a WebSocket (RFC 6455)"))?;
    let (place, farewell) = match api.events.enter(who) {
        Ok(entered) => entered,
        Err(Full) => return Ok(unavailable("full", "there are too many connections; try again", 5)),
    };
    // It may have ended before its connection could be told.
    if !api.sessions.is_live(who) {
        return Err(NoSession::Unknown.into());
    }
    let seat = ask::listen(&api.directory, who.agent, place.number, after).await?;
    let client = client.max_frame_size(MAX_FRAME).aggregate_continuations().max_continuation_size(MAX_FRAME);
    let heard_at = api.clock.now();
    let connection = Connection { api, who, place, farewell, session, client, seen: after, open: None, heard_at };
    actix_web::rt::spawn(connection.run(seat));
    Ok(response)
}
