//! Twilio's REST API over the [`World`]: requests in, answers out, no input or output of its own.

mod conversations;
pub(crate) mod date;
pub(crate) mod error;
mod flex;
mod list;
mod media;
pub(crate) mod request;
mod reservations;
pub(crate) mod route;
mod shape;
mod streams;
mod sync;
mod taskrouter;
mod verify;
mod voice;

pub(crate) use self::shape::snake_case;
use self::{
    error::Refusal,
    request::{Answer, Request},
    route::{Operation, Product},
};
use crate::world::{World, sid::Sid};

pub(crate) type Reply = Result<Answer, Refusal>;

/// Answers an operation; `variables` are those of its path.
pub(crate) fn answer(world: &mut World, request: &Request, operation: Operation, variables: &[&str]) -> Answer {
    let variables: Vec<Sid> = variables.iter().map(|variable| Sid::from(*variable)).collect();
    let answers = match operation.product(request.prefix) {
        Product::TaskRouter => taskrouter::answer,
        Product::Voice => voice::answer,
        Product::Flex => flex::answer,
        Product::Conversations => conversations::answer,
        Product::Media => media::answer,
        Product::EventStreams => streams::answer,
        Product::Sync => sync::answer,
        Product::Verify => verify::answer,
    };
    let reply = answers(world, request, operation, &variables);
    reply.unwrap_or_else(|refusal| refuse(refusal, request))
}

fn refuse(mut refusal: Refusal, request: &Request) -> Answer {
    if refusal.status == 404 {
        let resource = request.path.trim_start_matches("/v1").trim_start_matches("/v2");
        refusal.message = format!("The requested resource {resource} was not found");
    }
    refusal.into()
}

/// `If-Match` must name the present version, where it is given.
fn check_version(request: &Request, version: u64) -> Result<(), Refusal> {
    let stale = request.if_match.as_deref().is_some_and(|wanted| wanted.trim_matches('"') != version.to_string());
    if stale { Err(Refusal::precondition()) } else { Ok(()) }
}
