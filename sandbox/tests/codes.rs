//! One-time codes over HTTP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use offdesk_sandbox::{CodeChannel, CodeDelivery, Options, Sandbox, VerificationStatus};
use serde_json::json;

const ADA: &str = "+4915550101001";

#[tokio::test]
async fn a_code_is_told_of_and_shown_on_its_phone() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&told);
    let options =
        Options { on_code: Some(Arc::new(move |sent| ears.lock().unwrap().push(sent.clone()))), ..Options::default() };
    let sandbox = Sandbox::start(options).unwrap();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let facts = sandbox.facts();
    let url = format!("{}/verify/v2/Services/{}/Verifications", sandbox.url(), facts.verify_service_sid);
    let send = || {
        let request = client.post(&url).basic_auth(&facts.account_sid, Some(&facts.auth_token));
        request.form(&[("To", ADA), ("Channel", "sms"), ("Locale", "de")]).send()
    };
    assert_eq!(send().await.unwrap().status(), 201);
    let told = told.lock().unwrap().pop().unwrap();
    assert_eq!((told.to.as_str(), told.channel, told.locale.as_deref()), (ADA, CodeChannel::Sms, Some("de")));
    assert_eq!(sandbox.last_code(ADA), Some(told.code));
    assert_eq!(sandbox.snapshot().last_code(ADA).unwrap().status, VerificationStatus::Pending);

    let phone = format!("{}/sandbox/phones/{ADA}", sandbox.url());
    let changed = client.post(phone).json(&json!({ "codes": CodeDelivery::Blocked })).send().await.unwrap();
    assert_eq!((changed.status().as_u16(), send().await.unwrap().status().as_u16()), (204, 403));
}
