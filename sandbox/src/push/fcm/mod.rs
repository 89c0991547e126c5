//! Firebase Cloud Messaging, HTTP v1
//! (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>), and Google's tokens for it.

mod account;
mod error;
mod message;
mod oauth;

pub(crate) use self::{
    account::ServiceAccount,
    error::Failure,
    message::parse,
    oauth::{AccessTokens, TokenRequest},
};

/// The project whose service account the stand-in gives out.
pub(crate) const PROJECT: &str = "offdesk-sandbox";
