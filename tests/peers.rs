//! The counterparts themselves: a judge that lets faults pass would prove nothing.

mod counterparts;

use counterparts::Signer;

const TOKEN: &str = "12345678901234567890123456789012";

/// What Twilio's documentation signs as its example (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).
fn documented_example(mut signer: Signer) {
    let params = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+12349013030"),
        ("Digits", "1234"),
        ("From", "+12349013030"),
        ("To", "+18005551212"),
    ];
    let signed = signer.form("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", &params);
    assert_eq!(signed.signature, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
}

mod with_node {
    use super::*;
    use crate::counterparts::{Oracle, node};
    use serde_json::json;

    #[test]
    fn the_oracle_finds_every_planted_fault() {
        let script = node("oracle.test.mjs");
        let mut runner = std::process::Command::new(script.get_program());
        runner.arg("--test").args(script.get_args());
        runner.envs(script.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let output = runner.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    #[test]
    fn the_oracle_answers_line_by_line() {
        let mut oracle = Oracle::start();
        let headers = json!({ "authorization": "Basic QUM6dG9rZW4=" });
        let fine = json!({ "method": "GET", "path": "/v1/Workspaces", "headers": headers });
        let wrong = json!({ "method": "GET", "path": "/v1/Workspaces?Name=a", "headers": headers });
        assert!(oracle.violations(&fine).is_empty());
        assert_eq!(oracle.violations(&wrong), ["request query.Name: Twilio knows no such parameter"]);
    }

    #[test]
    fn npm_twilio_signs_the_documented_example() {
        documented_example(Signer::node());
    }
}

mod with_python {
    use super::*;

    #[test]
    fn pypi_twilio_signs_the_documented_example() {
        documented_example(Signer::python());
    }

    mod with_node {
        use super::*;

        #[test]
        fn both_libraries_sign_a_form_alike() {
            let url = "https://gw.example.com:8443/webhooks/taskrouter?call=1&leg=2";
            let params = [("B", "2"), ("A", "ä & +"), ("B", "1"), ("B", "2"), ("Empty", "")];
            assert_eq!(Signer::node().form(TOKEN, url, &params), Signer::python().form(TOKEN, url, &params));
        }

        #[test]
        fn both_libraries_sign_a_json_body_alike() {
            let (url, body) = ("https://gw.example.com/webhooks/events?a=b", r#"[{"id":"EZ1","data":"ü"}]"#);
            assert_eq!(Signer::node().json(TOKEN, url, body), Signer::python().json(TOKEN, url, body));
        }
    }
}
