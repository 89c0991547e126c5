mod agents;
mod customers;
mod many;
mod net;
mod streams;
mod tickets;
mod world;
