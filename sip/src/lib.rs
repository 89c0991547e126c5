//! SIP for Offdesk. It knows nothing of the daemon; no type of another SIP library crosses its edge.

pub mod media;
pub mod sdp;
mod user;

pub use user::{MAX_USER, User, UserError};
