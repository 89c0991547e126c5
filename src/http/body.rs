//! Bodies that do not come: whoever sends one slowly holds a connection and what the handler holds, and not for ever.

use std::time::Duration;

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    middleware::Next,
    web::Bytes,
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::sleep;

/// How long a body may be on its way, and a second more for each so many bytes that have come.
const PATIENCE: Duration = Duration::from_secs(10);
const BYTES_A_SECOND: u64 = 32 * 1024;

/// Middleware: what is not there in time has not arrived whole.
pub(super) async fn in_time(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let body = request.take_payload();
    request.set_payload(Payload::Stream { payload: Box::pin(timed(body)) });
    next.call(request).await
}

fn timed<S>(body: S) -> impl Stream<Item = Result<Bytes, PayloadError>>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let patience = Box::pin(sleep(PATIENCE));
    stream::unfold(Some((body, patience)), move |state| async move {
        let (mut body, mut patience) = state?;
        tokio::select! {
            biased;
            chunk = body.next() => {
                let chunk = chunk?;
                let micros = chunk.as_ref().map_or(0, |bytes| bytes.len() as u64 * 1_000_000 / BYTES_A_SECOND);
                let until = patience.deadline() + Duration::from_micros(micros);
                patience.as_mut().reset(until);
                Some((chunk, Some((body, patience))))
            }
            () = patience.as_mut() => Some((Err(PayloadError::Incomplete(None)), None)),
        }
    })
    // Readers of forms ask once more behind the end.
    .fuse()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body of chunks that take so many seconds each.
    fn body(chunk: usize, seconds: u64) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        Box::pin(stream::repeat(()).take(8).then(move |()| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(Bytes::from(vec![7; chunk]))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_ends_and_one_that_comes_steadily_arrives() {
        for (chunk, seconds, arrives) in [(1, 0, true), (1, 1, true), (1, 2, false), (1 << 20, 8, true)] {
            let mut body = Box::pin(timed(body(chunk, seconds)));
            let read: Vec<_> = body.by_ref().collect().await;
            assert!(body.next().await.is_none(), "an end may be asked for again");
            let whole = read.iter().filter(|chunk| chunk.is_ok()).count() == 8;
            assert_eq!((whole, read.iter().all(Result::is_ok)), (arrives, arrives), "{chunk} bytes in {seconds} s");
        }
    }
}
