//! The agent against a model of Twilio, in virtual time.

mod activity;
mod answering;
mod asking;
mod asking_properties;
mod busy;
mod calls;
mod chat_storm;
mod chats;
mod conversations;
mod looking_on;
mod lost;
mod mirror;
mod misses;
mod order;
mod properties;
mod refusals;
mod restart;
mod ringing_softphones;
mod softphone_properties;
mod softphones;
mod storm;
mod twilio;
mod twilio_asking;
mod twilio_rest;
mod unwanted;
mod world;
