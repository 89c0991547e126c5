//! Everything that is Twilio's: what it sends us (signatures, events) and what we ask of it (the client and its calls).
//!
//! Nothing here knows of actors, our own HTTP server or the store, and no type of the HTTP client crosses the edge.

pub mod form;
pub mod signature;
