//! Behaviours of an agent, told as stories.
