//! What a notification says, and how each provider wants it said.

pub(super) mod text;
