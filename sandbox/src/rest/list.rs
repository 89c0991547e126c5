//! Paging, in the ways of the newer APIs (`meta`) and of 2010-04-01 (flat).

use serde_json::{Value, json};

use super::{
    error::Refusal,
    request::{Answer, Params, Request},
};
use crate::world::sid::Sid;

const DEFAULT_SIZE: u64 = 50;
const MAX_SIZE: u64 = 1000;

struct Page {
    number: u64,
    size: u64,
    start: usize,
    sids: Vec<Sid>,
    first: String,
    this: String,
    previous: Option<String>,
    next: Option<String>,
}

/// A page of a list, with Twilio's `meta`.
pub(crate) fn v1(request: &Request, key: &str, all: Vec<Sid>, shape: impl Fn(&Sid) -> Option<Value>) -> Answer {
    v1_of(request, key, all, MAX_SIZE, shape)
}

/// The same, for a list whose pages have a maximum of their own.
pub(crate) fn v1_of(
    request: &Request,
    key: &str,
    all: Vec<Sid>,
    max_size: u64,
    shape: impl Fn(&Sid) -> Option<Value>,
) -> Answer {
    let page = match cut(request, all, max_size) {
        Ok(page) => page,
        Err(refusal) => return refusal.into(),
    };
    let whole = |rest: &String| format!("{}{rest}", request.base);
    Answer::ok(json!({
        key: page.sids.iter().filter_map(shape).collect::<Vec<_>>(),
        "meta": {
            "key": key,
            "page": page.number,
            "page_size": page.size,
            "first_page_url": whole(&page.first),
            "previous_page_url": page.previous.as_ref().map(whole),
            "next_page_url": page.next.as_ref().map(whole),
            "url": whole(&page.this),
        },
    }))
}

/// A page of a list as 2010-04-01 has it, with relative links.
pub(crate) fn v2010(request: &Request, key: &str, all: Vec<Sid>, shape: impl Fn(&Sid) -> Option<Value>) -> Answer {
    let page = match cut(request, all, MAX_SIZE) {
        Ok(page) => page,
        Err(refusal) => return refusal.into(),
    };
    let rows: Vec<_> = page.sids.iter().filter_map(shape).collect();
    Answer::ok(json!({
        "start": page.start,
        "end": (page.start + rows.len()).saturating_sub(1),
        key: rows,
        "page": page.number,
        "page_size": page.size,
        "first_page_uri": page.first,
        "previous_page_uri": page.previous,
        "next_page_uri": page.next,
        "uri": page.this,
    }))
}

/// A token names the row that a page begins after (`PA`) or ends before (`PB`), so that rows which are added
/// meanwhile neither hide nor repeat one.
fn cut(request: &Request, all: Vec<Sid>, max_size: u64) -> Result<Page, Refusal> {
    let size = request.query.number("PageSize")?.unwrap_or(DEFAULT_SIZE).clamp(1, max_size);
    let number = request.query.number("Page")?.unwrap_or(0);
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    let place =
        |sid: &str| all.iter().position(|known| *known == *sid).ok_or_else(|| Refusal::invalid("Invalid PageToken"));
    let start = match request.query.get("PageToken").and_then(|token| token.split_at_checked(2)) {
        Some(("PA", sid)) => place(sid)? + 1,
        Some(("PB", sid)) => place(sid)?.saturating_sub(length),
        Some(_) => return Err(Refusal::invalid("Invalid PageToken")),
        None => 0,
    };
    let sids: Vec<_> = all.iter().skip(start).take(length).cloned().collect();
    let link = |number: u64, token: Option<String>| {
        let kept = |name: &str| !matches!(name, "Page" | "PageSize" | "PageToken");
        let mut query: Vec<_> = request.query.0.iter().filter(|(name, _)| kept(name)).cloned().collect();
        query.push(("PageSize".to_owned(), size.to_string()));
        query.push(("Page".to_owned(), number.to_string()));
        query.extend(token.map(|token| ("PageToken".to_owned(), token)));
        format!("{}?{}", request.path, Params(query).encode())
    };
    let more = start + sids.len() < all.len();
    Ok(Page {
        number,
        size,
        start,
        first: link(0, None),
        this: link(number, request.query.text("PageToken")),
        previous: sids
            .first()
            .filter(|_| start > 0)
            .map(|sid| link(number.saturating_sub(1), Some(format!("PB{sid}")))),
        next: sids.last().filter(|_| more).map(|sid| link(number + 1, Some(format!("PA{sid}")))),
        sids,
    })
}
