//! Who may call: boto3 and the AWS CLI sign, and what they signed with decides.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::harness::{Folder, Gateway, document, mock, routes, run, serving};
use super::tool;

const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIDONE\naws_secret_access_key = secret/one+\n\n\
                           [two]\naws_access_key_id = AKIDTWO\naws_secret_access_key = secret-two\n\
                           aws_session_token = token/two==\naccount = 111122223333\n";

/// A gateway that takes calls from two keys, and the file that they are in.
pub fn protected(mode: u32) -> (Gateway, Folder) {
    let folder = Folder::new();
    let file = folder.write("credentials", CREDENTIALS);
    fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("our own file");
    let flag = format!("--admin-credentials={}", file.display());
    let start = serving(&document(&routes(&[("/", "get", mock("{}"))])));
    (start.flags([&flag]).start(), folder)
}

fn admin(gateway: &Gateway) -> String {
    format!("http://127.0.0.1:{}", gateway.admin)
}

#[test]
fn boto3_is_let_in_with_its_own_keys_and_told_why_not() {
    let (gateway, folder) = protected(0o600);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/admin/access.py");
    let file = folder.file("credentials");
    let output = Command::new(tool("python")).arg(script).arg(admin(&gateway)).arg(&file).output().expect("python");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, "done\n", "{}", String::from_utf8_lossy(&output.stderr));
    let told = gateway.err.text();
    assert_eq!(
        told.matches("expected [profile] or key = value; the keys before go on being good").count(),
        1,
        "{told}"
    );
    assert!(!told.contains("secret/one+"), "{told}");
}

#[test]
fn the_cli_signs_with_a_profile_and_a_stranger_gets_nothing() {
    let (gateway, _folder) = protected(0o600);
    let call = |profile: &str| {
        Command::new(tool("aws"))
            .args(["apigateway", "get-account", "--region=eu-west-1", "--endpoint-url", &admin(&gateway)])
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_MAX_ATTEMPTS", "1")
            .envs(profile.split(' ').filter_map(|pair| pair.split_once('=')))
            .output()
            .expect("the AWS CLI")
    };
    let ours = call("AWS_ACCESS_KEY_ID=AKIDONE AWS_SECRET_ACCESS_KEY=secret/one+");
    assert!(ours.status.success(), "{}", String::from_utf8_lossy(&ours.stderr));
    let theirs = call("AWS_ACCESS_KEY_ID=AKIDONE AWS_SECRET_ACCESS_KEY=guessed");
    let told = String::from_utf8_lossy(&theirs.stderr);
    assert!(!theirs.status.success() && told.contains("(InvalidSignatureException)"), "{told}");

    for (target, status) in [("/restapis", 403), ("/", 403), ("/healthz", 200), ("/metrics", 200)] {
        let answer = gateway.admin(target);
        assert_eq!(answer.status, status, "{target}");
        if status == 403 {
            assert_eq!(answer.text(), "{\"message\":\"Missing Authentication Token\"}");
            assert_eq!(answer.field("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
        }
    }
}

#[test]
fn a_file_that_others_may_read_is_told_and_a_wrong_one_refused() {
    let (gateway, folder) = protected(0o644);
    assert!(gateway.err.text().contains("(fix: chmod 600 "), "{}", gateway.err.text());
    let definition = folder.write("api.json", &document(&routes(&[("/", "get", mock("{}"))])).to_string());
    for (text, said) in [("[a]\naccount = 1\n", "line 2: account: expected twelve digits"), ("", "nobody could call")] {
        let file = folder.write("wrong", text);
        let flag = format!("--admin-credentials={}", file.display());
        let ran =
            run(&["dev", &definition.display().to_string(), "--admin=127.0.0.1:0", "--listen=127.0.0.1:0", &flag]);
        assert!(ran.code == Some(2) && ran.err.contains(said), "{}", ran.err);
    }
}
