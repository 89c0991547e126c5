//! Softphones, where they are configured, and the way that news of agents take past them.

use tokio::{runtime::Handle, sync::mpsc};

use super::{Ready, StartError, TOLD, entrance::Entrance, parts};
use crate::{
    actors::Kit,
    config::Config,
    roster::Told,
    sip::{Means, Softphones},
};

/// News of agents, from whoever tells to the directory: by way of softphones, if there are any.
pub(super) fn road(config: &Config) -> (mpsc::Sender<Told>, mpsc::Receiver<Told>, Detour) {
    let (tell, news) = mpsc::channel(TOLD);
    if config.sip.is_none() {
        return (tell, news, Detour(None));
    }
    let (pass_on, told) = mpsc::channel(TOLD);
    (tell, told, Detour(Some((news, pass_on))))
}

/// Softphones hear news first, and pass on what they have heard.
pub(super) struct Detour(Option<(mpsc::Receiver<Told>, mpsc::Sender<Told>)>);

impl Detour {
    /// Starts SIP with all agents there are.
    pub(super) async fn start(
        self,
        config: &Config,
        kit: &Kit,
        io: &Handle,
        entrance: &Entrance,
    ) -> Result<Option<Softphones>, StartError> {
        let (Some(sip), Some((news, pass_on))) = (&config.sip, self.0) else { return Ok(None) };
        let means = Means {
            store: kit.store.clone(),
            clock: kit.clock.clone(),
            io: io.clone(),
            push_project: parts::push_project(config),
            profiles: entrance.book.all(),
        };
        let softphones = Softphones::start(sip, means).await?;
        io.spawn(softphones.clone().listen(news, pass_on));
        Ok(Some(softphones))
    }
}

/// What `serve` prints.
pub(super) fn ready(listeners: &super::Listeners, softphones: Option<&Softphones>) -> Ready {
    let sip = softphones.map(Softphones::bound).unwrap_or_default();
    let (http, admin) = (listeners.public_at, listeners.operator_at);
    Ready { ready: true, http, admin, sip_udp: sip.udp, sip_tcp: sip.tcp, sip_tls: sip.tls }
}

/// Resolves if the SIP engine ends by itself.
pub(super) async fn end(softphones: Option<Softphones>) {
    match softphones {
        Some(softphones) => softphones.ended().await,
        None => std::future::pending().await,
    }
}
