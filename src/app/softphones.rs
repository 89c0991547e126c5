//! Softphones, where they are configured, and the way that news of agents take past them.

use tokio::{runtime::Handle, sync::mpsc};

use super::{Ready, StartError, TOLD, entrance::Entrance, parts};
use crate::{
    actors::Kit,
    config::Config,
    domain::{SoftphoneLeg, SoftphoneNews},
    roster::Told,
    sip::{self, Exchange, Line, Means, Softphones},
};

/// What joins agents and softphones, before either is there.
pub(super) struct Road {
    /// Where news of agents begin, and where they come to: by way of softphones, if there are any.
    pub(super) tell: mpsc::Sender<Told>,
    pub(super) told: mpsc::Receiver<Told>,
    /// The agents' end of the line to their softphones.
    pub(super) line: Option<Line>,
    pub(super) softphones: mpsc::Receiver<(SoftphoneLeg, SoftphoneNews)>,
    pub(super) detour: Detour,
}

impl Road {
    pub(super) fn new(config: &Config) -> Self {
        let (tell, news) = mpsc::channel(TOLD);
        let (line, exchange, softphones) = sip::line();
        if config.sip.is_none() {
            return Self { tell, told: news, line: None, softphones, detour: Detour(None) };
        }
        let (pass_on, told) = mpsc::channel(TOLD);
        Self { tell, told, line: Some(line), softphones, detour: Detour(Some((news, pass_on, exchange))) }
    }
}

/// Softphones hear news first, and pass on what they have heard.
pub(super) struct Detour(Option<(mpsc::Receiver<Told>, mpsc::Sender<Told>, Exchange)>);

impl Detour {
    /// Starts SIP with all agents there are.
    pub(super) async fn start(
        self,
        config: &Config,
        kit: &Kit,
        io: &Handle,
        entrance: &Entrance,
    ) -> Result<Option<Softphones>, StartError> {
        let (Some(sip), Some((news, pass_on, exchange))) = (&config.sip, self.0) else { return Ok(None) };
        let means = Means {
            store: kit.store.clone(),
            clock: kit.clock.clone(),
            io: io.clone(),
            push_project: parts::push_project(config),
            profiles: entrance.book.all(),
            exchange,
            push: kit.push.clone(),
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
