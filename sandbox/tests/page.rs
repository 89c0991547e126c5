//! The page is whole.

use std::{collections::BTreeSet, time::Duration};

use offdesk_sandbox::{Options, Sandbox};

#[tokio::test]
async fn everything_that_the_page_names_is_there() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let (mut seen, mut open) = (BTreeSet::new(), vec!["/".to_owned()]);
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = client.get(format!("{}{path}", sandbox.url())).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.headers().contains_key("content-security-policy"), "{path}");
        open.extend(named(&answer.text().await.unwrap()));
    }
    assert!(["/page.css", "/page.js", "/dom.js", "/handset.svg"].iter().all(|file| seen.contains(*file)), "{seen:?}");
}

/// Files of the page's own: links of HTML and CSS, and imports of scripts.
fn named(text: &str) -> Vec<String> {
    let after = |mark: &str| {
        let parts = text.split(mark).skip(1);
        parts.filter_map(|part| part.split_once('"').map(|(name, _)| format!("/{name}"))).collect::<Vec<_>>()
    };
    [after("href=\"/"), after("src=\"/"), after("url(\"/"), after("from \"./")].concat()
}
