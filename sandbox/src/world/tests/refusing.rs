//! What REST refuses, and how it pages and guards versions.

use super::bench::{ADA, BO, Bench, code};

#[test]
fn what_is_not_there_is_not_found_and_what_is_not_allowed_not_either() {
    let mut bench = Bench::with(&[ADA]);
    let workspace = bench.workspace();
    let table = [
        ("GET", "/v1/Workspaces/WS00000000000000000000000000000000/Workers".to_owned(), (404, 20404)),
        ("GET", format!("{workspace}/Tasks/WT00000000000000000000000000000000"), (404, 20404)),
        ("GET", format!("{workspace}/Nonsense"), (404, 20404)),
        ("DELETE", format!("{workspace}/Workers"), (405, 20004)),
        ("POST", format!("{workspace}/Activities"), (400, 20001)),
        ("GET", format!("{workspace}/Workers?PageToken=PAnonsense"), (400, 20001)),
    ];
    for (method, path, wanted) in table {
        assert_eq!(code(&bench.request(method, &path, &[])), wanted, "{method} {path}");
    }
}

#[test]
fn a_stale_version_is_refused_and_a_present_one_is_not() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let path = format!("{}/Tasks/{task}", bench.workspace());
    let tag = bench.request("GET", &path, &[]).etag.expect("an ETag");
    let body = [("Attributes", "{\"a\":1}")];
    assert_eq!(bench.request_if("POST", &path, &body, Some(&tag)).status, 200);
    assert_eq!(code(&bench.request_if("POST", &path, &body, Some(&tag))), (412, 20412));
}

#[test]
fn attributes_must_be_a_json_object() {
    let mut bench = Bench::with(&[ADA]);
    let worker = bench.world.workers.iter().next().map(|row| row.sid.clone()).expect("a worker");
    let path = format!("{}/Workers/{worker}", bench.workspace());
    assert_eq!(code(&bench.request("POST", &path, &[("Attributes", "nonsense")])), (400, 20001));
    assert_eq!(bench.request("POST", &path, &[("Attributes", "{\"a\":1}")]).status, 200);
}

#[test]
fn pages_follow_each_other_by_their_links_both_ways() {
    let mut bench = Bench::with(&[ADA, BO, "+4915550101003"]);
    let first = bench.request("GET", &format!("{}/Workers?PageSize=2", bench.workspace()), &[]).body.expect("a body");
    assert_eq!(first["workers"].as_array().map(Vec::len), Some(2));
    let next = first["meta"]["next_page_url"].as_str().expect("a next page").trim_start_matches("http://sandbox");
    let second = bench.request("GET", next, &[]).body.expect("a body");
    assert_eq!(second["workers"][0]["friendly_name"], "user-+4915550101003");
    assert!(second["meta"]["next_page_url"].is_null());
    let back =
        second["meta"]["previous_page_url"].as_str().expect("a page before").trim_start_matches("http://sandbox");
    let again = bench.request("GET", back, &[]).body.expect("a body");
    assert_eq!(again["workers"], first["workers"]);
}

#[test]
fn workers_are_found_by_name_and_by_activity() {
    let mut bench = Bench::with(&[ADA, BO]);
    bench.act(|world| world.desk_sets_activity(BO, "Break")).expect("known");
    for query in ["FriendlyName=user-%2B4915550101002", "ActivityName=Break", "Available=false"] {
        let body = bench.request("GET", &format!("{}/Workers?{query}", bench.workspace()), &[]).body.expect("a body");
        assert_eq!(body["workers"].as_array().map(Vec::len), Some(1), "{query}");
        assert_eq!(body["workers"][0]["friendly_name"], "user-+4915550101002", "{query}");
    }
}

#[test]
fn a_worker_is_deleted_unless_a_reservation_is_open() {
    let mut bench = Bench::with(&[ADA, BO]);
    bench.customer_calls();
    let sids: Vec<_> = bench.world.workers.iter().map(|row| row.sid.clone()).collect();
    let answers: Vec<_> = sids
        .iter()
        .map(|sid| bench.request("DELETE", &format!("{}/Workers/{sid}", bench.workspace()), &[]).status)
        .collect();
    assert_eq!(answers, [400, 204]);
    assert_eq!(bench.world.workers.iter().map(|row| row.sid.clone()).collect::<Vec<_>>(), sids[..1]);
    let again = bench.request("DELETE", &format!("{}/Workers/{}", bench.workspace(), sids[1]), &[]);
    assert_eq!(code(&again), (404, 20404));
}
