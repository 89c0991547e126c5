//! Offdesk: the daemon that lets Twilio Flex agents leave their desk. docs/architecture.md shows the house.

pub mod access;
pub mod actors;
pub mod agent;
pub mod app;
pub mod audit;
pub mod call;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod files;
pub mod handling;
pub mod http;
pub mod inbox;
pub mod intake;
pub mod login;
pub mod push;
pub mod reconcile;
pub mod roster;
pub mod sessions;
pub mod sip;
pub mod store;
pub mod telemetry;
pub mod twilio;
