//! Everything that is Twilio's: what it sends us (signatures, events) and what we ask of it (the client and its calls).
//!
//! Nothing here knows of actors, our own HTTP server or the store, and no type of the HTTP client crosses the edge.

pub mod account;
pub mod client;
pub mod conversations;
pub mod events;
pub mod facts;
pub mod flex;
pub mod form;
pub mod interactions;
pub mod media;
pub mod signature;
pub mod streams;
pub mod sync;
pub mod taskrouter;
pub mod twiml;
pub mod verify;
pub mod voice;

mod cache;
#[cfg(test)]
mod testing;
mod wire;

pub use client::{Credentials, Endpoints, Health, Limits, Listing, Refusal, Settings, Twilio, TwilioError};
