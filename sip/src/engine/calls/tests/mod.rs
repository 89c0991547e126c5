mod agents;
mod customers;
mod limits;
mod many;
mod net;
mod streams;
mod tickets;
mod world;
