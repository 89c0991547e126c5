//! SIP for Offdesk. It knows nothing of the daemon; no type of another SIP library crosses its edge.

pub mod abuse;
pub mod bridge;
pub mod dialog;
pub mod digest;
pub mod driver;
pub mod engine;
pub mod leg;
pub mod media;
pub mod message;
pub mod registrar;
pub mod ring;
pub mod sdp;
pub mod transaction;
pub mod transport;
mod user;

pub use user::{MAX_USER, User, UserError};
