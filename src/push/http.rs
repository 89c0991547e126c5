//! The only file that speaks HTTP to providers: one POST, and its answer.

use std::{collections::BTreeSet, error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::fmt::rfc2822;
use reqwest::{
    Certificate, Client, ClientBuilder, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header,
    redirect::Policy,
};
use url::Url;

use super::address;
use crate::domain::Timestamp;

/// The longest answer that is read; providers' stay below a few kB.
const MAX_ANSWER: usize = 64 * 1024;
/// Shorter than servers keep idle connections, so that a POST seldom meets one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// An HTTP/2 connection that has silently died takes all its requests with it: it is found out before they time out.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a provider may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To have a connection, TLS included.
    pub connect: Duration,
    /// From the first byte of the request to the last one of the answer.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(15) }
    }
}

/// Where connections may go.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// To whatever the operator has configured.
    Anywhere,
    /// To public addresses, names in this list excepted.
    Public { but: BTreeSet<Box<str>> },
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    #[error("no answer in time")]
    Timeout,
    #[error("no connection")]
    Unreachable,
    /// The name resolves to addresses that are not public, and to no other.
    #[error("the address is not public")]
    NotPublic,
    #[error("the connection broke")]
    Broken,
    #[error("the answer is too long")]
    TooLong,
}

impl Lost {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::NotPublic => "not_public",
            Self::Broken | Self::TooLong => "broken",
        }
    }
}

/// What was answered, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// What is posted.
pub(super) struct Post<'a> {
    pub(super) url: &'a Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// How long an answer is worth waiting for, the timeouts apart.
    pub(super) patience: Duration,
}

impl<'a> Post<'a> {
    pub(super) const fn new(url: &'a Url, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Self {
        Self { url, headers, body, patience: Duration::MAX }
    }
}

/// A client of one provider. It lives and dies with the runtime that it was made on.
#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    whole: Duration,
}

impl Http {
    /// # Errors
    /// Why there is no client, in words: the extra certificates are none, or TLS cannot be set up.
    pub(super) fn new(timeouts: Timeouts, reach: Reach, extra_roots_pem: Option<&[u8]>) -> Result<Self, String> {
        Self::with(timeouts, reach, extra_roots_pem, system)
    }

    fn with(timeouts: Timeouts, reach: Reach, extra_roots_pem: Option<&[u8]>, look_up: LookUp) -> Result<Self, String> {
        let told = |error: reqwest::Error| error.to_string();
        let roots = extra_roots_pem.map(Certificate::from_pem_bundle).transpose().map_err(told)?.unwrap_or_default();
        let builder = Client::builder()
            .user_agent(concat!("offdesk/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.whole)
            .pool_idle_timeout(POOL_IDLE)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            // A redirect would carry the message, and who sends it, to wherever it points.
            .redirect(Policy::none())
            // The environment of a service is no place from which its traffic is rerouted unseen.
            .no_proxy()
            .tls_certs_merge(roots);
        let client = within(builder, reach, look_up).build().map_err(told)?;
        Ok(Self { client, whole: timeouts.whole })
    }

    pub(super) async fn post(&self, post: Post<'_>, now: Timestamp) -> Result<Answer, Lost> {
        let timeout = self.whole.min(post.patience);
        let request = self.client.post(post.url.clone()).timeout(timeout).body(post.body);
        let request = post.headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.map_err(|error| why(&error))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response, now);
        Ok(Answer { status, retry_after, body: read(response).await? })
    }
}

fn within(builder: ClientBuilder, reach: Reach, look_up: LookUp) -> ClientBuilder {
    match reach {
        Reach::Anywhere => builder,
        Reach::Public { but } => builder.dns_resolver(Arc::new(PublicOnly { but: Arc::new(but), look_up })),
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?.as_millisecond();
    Some(Timestamp::from_millis(at.try_into().ok()?).since(now))
}

async fn read(mut response: Response) -> Result<Vec<u8>, Lost> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| why(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Lost::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn why(error: &reqwest::Error) -> Lost {
    if error.is_timeout() {
        return Lost::Timeout;
    }
    let mut causes = std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (**cause).source());
    if causes.any(|cause| cause.is::<NotPublic>()) {
        Lost::NotPublic
    } else if error.is_connect() {
        Lost::Unreachable
    } else {
        Lost::Broken
    }
}

/// Resolves names to public addresses alone. It is asked when a connection is made, so that a name cannot point elsewhere
/// by then.
struct PublicOnly {
    but: Arc<BTreeSet<Box<str>>>,
    look_up: LookUp,
}

/// Where the addresses of a name are found.
type LookUp = fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// As the machine is configured.
fn system(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { tokio::net::lookup_host((name, 0)).await.map(Iterator::collect) })
}

#[derive(Debug, thiserror::Error)]
#[error("the name resolves to no public address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let (but, found) = (Arc::clone(&self.but), (self.look_up)(name.as_str().to_owned()));
        Box::pin(async move {
            let addresses = admitted(found.await?, but.contains(name.as_str()))?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn admitted(found: Vec<SocketAddr>, any: bool) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    if found.is_empty() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    let admitted: Vec<_> = found.into_iter().filter(|found| any || address::is_public(found.ip())).collect();
    if admitted.is_empty() { Err(NotPublic.into()) } else { Ok(admitted) }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn posted(url: &Url, reach: Reach) -> Result<Answer, Lost> {
        // Another test of this process may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = Http::new(Timeouts::default(), reach, None).unwrap();
        http.post(Post::new(url, Vec::new(), Vec::new()), Timestamp::EPOCH).await
    }

    /// A server that says this to everybody.
    async fn saying(text: String) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(text.as_bytes()).await;
            }
        });
        format!("http://localhost:{port}/x").parse().unwrap()
    }

    #[tokio::test]
    async fn a_name_that_leads_into_a_private_network_is_not_called_unless_it_is_excepted() {
        let url = saying("HTTP/1.1 201 X\r\nContent-Length: 0\r\n\r\n".into()).await;
        let nobody = Reach::Public { but: BTreeSet::new() };
        assert_eq!(posted(&url, nobody).await.unwrap_err(), Lost::NotPublic);
        let excepted = Reach::Public { but: BTreeSet::from(["localhost".into()]) };
        assert_eq!(posted(&url, excepted).await.unwrap().status, 201);
        assert_eq!(posted(&url, Reach::Anywhere).await.unwrap().status, 201);
    }

    #[test]
    fn of_the_addresses_of_a_name_the_public_ones_are_called() {
        let found = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = found(&["10.0.0.1:0", "8.8.8.8:0", "[::1]:0"]);
        assert_eq!(admitted(mixed.clone(), false).unwrap(), found(&["8.8.8.8:0"]));
        assert_eq!(admitted(mixed.clone(), true).unwrap(), mixed);
        assert!(admitted(found(&["127.0.0.1:0"]), false).unwrap_err().is::<NotPublic>());
        assert!(!admitted(Vec::new(), false).unwrap_err().is::<NotPublic>());
    }

    /// A name whose owner lets it lead somewhere else at each look.
    #[tokio::test]
    async fn a_name_that_is_bound_anew_leads_nowhere() {
        static LOOKS: AtomicUsize = AtomicUsize::new(0);
        const PLACES: [&str; 6] = [
            "127.0.0.1:0",
            "[::1]:0",
            "[::ffff:127.0.0.1]:0",
            "169.254.169.254:0",
            "10.0.0.1:0",
            "[64:ff9b::7f00:1]:0",
        ];
        fn elsewhere(_: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            let look = LOOKS.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { Ok(vec![PLACES[look % PLACES.len()].parse().unwrap()]) })
        }
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url: Url = format!("http://rebinding.push.services.mozilla.com:{port}/x").parse().unwrap();
        let reach = Reach::Public { but: BTreeSet::new() };
        let http = Http::with(Timeouts::default(), reach, None, elsewhere).unwrap();
        for _ in PLACES {
            let posted = http.post(Post::new(&url, Vec::new(), Vec::new()), Timestamp::EPOCH).await;
            assert_eq!(posted.unwrap_err(), Lost::NotPublic);
        }
        assert_eq!(LOOKS.load(Ordering::Relaxed), PLACES.len(), "a connection is made to what was looked at");
        let listener = listener.into_std().unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody has called");
    }

    #[tokio::test]
    async fn an_endless_answer_is_given_up() {
        let length = MAX_ANSWER + 1;
        let url = saying(format!("HTTP/1.1 200 X\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length))).await;
        assert_eq!(posted(&url, Reach::Anywhere).await.unwrap_err(), Lost::TooLong);
    }

    #[tokio::test]
    async fn a_wish_to_be_left_alone_is_seconds_or_a_date() {
        for (wish, secs) in [("7", Some(7)), ("Thu, 01 Jan 1970 00:01:30 GMT", Some(90)), ("soon", None), ("-1", None)]
        {
            let url = saying(format!("HTTP/1.1 503 X\r\nRetry-After: {wish}\r\nContent-Length: 0\r\n\r\n")).await;
            let answer = posted(&url, Reach::Anywhere).await.unwrap();
            assert_eq!(answer.retry_after, secs.map(Duration::from_secs), "{wish}");
        }
    }
}
