//! Starts a sandbox by itself, to look at its page or to try a client against it.
//!
//! `cargo run -p offdesk-sandbox --example play [PORT]`; it runs until it is interrupted.

use std::net::SocketAddr;

use offdesk_sandbox::{AgentSeed, Options, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let sandbox = Sandbox::start(Options {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        agents: vec![
            AgentSeed::new("Ada Bergmann", "+4915550101001", "Available on Mobile"),
            AgentSeed::new("Bo Lindqvist", "+4915550101002", "Available on Mobile"),
            AgentSeed::new("Chioma Eze", "+4915550101003", "Offline"),
        ],
        sip: Some([127, 0, 0, 1].into()),
        ..Options::default()
    })?;
    println!("{}", sandbox.url());
    println!("account {}, auth token {}", sandbox.facts().account_sid, sandbox.facts().auth_token);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
