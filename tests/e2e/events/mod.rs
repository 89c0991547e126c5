//! Live events: what an app sees over the WebSocket, told by a client that is not ours.

mod client;
mod resuming;
mod stream;
mod wire;
