//! The AWS CLI, unchanged, with nothing but an endpoint.

use std::process::{Command, Output};

use super::harness::Gateway;
use super::{empty_gateway, tool};

fn run(gateway: &Gateway, script: &str) -> Output {
    let folder = tool("aws").parent().expect("a folder").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .env("PATH", path)
        .env("ADMIN", format!("http://127.0.0.1:{}", gateway.admin))
        .env("DATA", format!("http://127.0.0.1:{}", gateway.port))
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("bash")
}

#[test]
fn an_api_is_made_deployed_and_called_in_ten_commands() {
    let gateway = empty_gateway();
    let output = run(&gateway, "bash tests/admin/five-minutes.sh");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.ends_with("[{\"id\": 1, \"stage\": \"prod\"}]"), "{printed}");
}
