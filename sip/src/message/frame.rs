//! Where a message ends on a stream (RFC 3261 §18.3), and the line ends that keep a connection alive (RFC 5626 §3.5.1).

use super::limits::Limits;
use super::name::Name;
use super::scan::{count, is_blank, saturating};

/// What stands at the beginning of what has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Nothing, or what may become a keep-alive: nobody waits for anything.
    Idle,
    /// A message has begun and has not ended.
    Partial,
    /// CR LF CR LF: 4 bytes. CR LF is to be sent back.
    Ping,
    /// CR LF: 2 bytes, to be passed over.
    LineEnd,
    /// A whole message of that many bytes.
    Message(usize),
    /// A head of that many bytes after which nobody can say where the next message begins. Parsing it tells why; the connection
    /// is closed after the answer.
    Last(usize),
    /// More bytes than a head has. The connection is closed.
    Endless,
}

/// Finds message after message. It remembers how far it has looked, so that a message which comes byte by byte costs no more
/// than one that comes at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Framer {
    looked: usize,
    /// The whole message's length, once its head is known.
    length: Option<usize>,
}

impl Framer {
    /// Looks at what has come and was not taken yet. Whoever is told of bytes takes them away before the next look; until then,
    /// `buffer` only grows.
    ///
    /// A Content-Length that does not fit `limits` ends the stream: see [`Frame::Last`].
    pub fn next(&mut self, buffer: &[u8], limits: &Limits) -> Frame {
        if let Some(length) = self.length {
            return self.once_whole(buffer, length);
        }
        match buffer {
            [] | b"\r" | b"\r\n" | b"\r\n\r" => return Frame::Idle,
            [b'\r', b'\n', b'\r', b'\n', ..] => return Frame::Ping,
            [b'\r', b'\n', ..] => return Frame::LineEnd,
            _ => {}
        }
        let from = self.looked.saturating_sub(3);
        count(buffer.len() - from.min(buffer.len()));
        let Some(at) = memchr::memmem::find(buffer.get(from..).unwrap_or_default(), b"\r\n\r\n") else {
            self.looked = buffer.len();
            return if buffer.len() > usize::from(limits.head) { Frame::Endless } else { Frame::Partial };
        };
        let head = from + at + 4;
        match content_length(buffer.get(..head).unwrap_or_default()) {
            _ if head > usize::from(limits.head) => Frame::Endless,
            Some(body) if body <= limits.body => self.once_whole(buffer, head + body),
            _ => {
                *self = Self::default();
                Frame::Last(head)
            }
        }
    }

    fn once_whole(&mut self, buffer: &[u8], length: usize) -> Frame {
        if buffer.len() < length {
            self.length = Some(length);
            return Frame::Partial;
        }
        *self = Self::default();
        Frame::Message(length)
    }
}

/// The one Content-Length. None: there is none, or several, or it is no number.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut length = None;
    let mut lines = head.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (label, value) = line.split_at(colon);
        if Name::of_bytes(label.trim_ascii_end()) != Name::ContentLength {
            continue;
        }
        let folded = lines.next_if(|line| line.first().copied().is_some_and(is_blank)).unwrap_or_default();
        let value = [value.get(1..)?.trim_ascii(), folded.trim_ascii()].concat();
        let number = saturating(std::str::from_utf8(&value).ok()?)?;
        if length.replace(usize::try_from(number).ok()?).is_some() {
            return None;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c\r\nl :\r\n 4\r\n\r\nbody";

    fn frame(buffer: &[u8]) -> Frame {
        Framer::default().next(buffer, &Limits::default())
    }

    #[test]
    fn a_message_is_found_whole_however_it_comes() {
        let limits = Limits::default();
        assert_eq!(frame(MESSAGE), Frame::Message(MESSAGE.len()));
        assert_eq!(frame(&[MESSAGE, b"SIP"].concat()), Frame::Message(MESSAGE.len()));
        let mut framer = Framer::default();
        for length in 1..MESSAGE.len() {
            assert_eq!(framer.next(&MESSAGE[..length], &limits), Frame::Partial, "{length}");
        }
        assert_eq!(framer.next(MESSAGE, &limits), Frame::Message(MESSAGE.len()));
        assert_eq!(framer.next(MESSAGE, &limits), Frame::Message(MESSAGE.len()));
    }

    #[test]
    fn keep_alives_are_no_messages() {
        for (buffer, found) in [
            (&b""[..], Frame::Idle),
            (b"\r\n", Frame::Idle),
            (b"\r\n\r", Frame::Idle),
            (b"\r\n\r\n", Frame::Ping),
            (b"\r\n\r\nSIP", Frame::Ping),
            (b"\r\nSIP/2.0", Frame::LineEnd),
            (b"S", Frame::Partial),
        ] {
            assert_eq!(frame(buffer), found);
        }
    }

    #[test]
    fn without_a_length_the_stream_ends() {
        for lines in
            ["", "l: 1\r\nl: 1\r\n", "l: -1\r\n", "l: 99999999999999999999\r\n", "l: 1 2\r\n", "Content-Length:\r\n"]
        {
            let head = format!("OPTIONS sip:a@b SIP/2.0\r\n{lines}\r\n");
            assert_eq!(frame(format!("{head}body").as_bytes()), Frame::Last(head.len()), "{lines}");
        }
        assert_eq!(frame(&[b'a'; 70_000]), Frame::Endless);
    }
}
