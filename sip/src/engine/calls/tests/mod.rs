mod agents;
mod customers;
mod many;
mod net;
mod tickets;
mod world;
