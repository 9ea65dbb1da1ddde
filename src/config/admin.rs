//! The gateway that a command talks to.

use std::net::SocketAddr;

use clap::Args;

use super::settings::{ADMIN_DEFAULT, Problems};
use super::values::{Invalid, socket_address};
use super::{Options, Slot, Written};

/// What the operator wrote about a gateway to talk to.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct AdminConfig {
    /// The gateway whose management side is here [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR:PORT|URL")]
    pub admin: Option<Written>,
    /// Region that calls are signed for, with the keys in AWS_ACCESS_KEY_ID and so on [default: that in AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub region: Option<Written>,
}

/// A gateway to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where its management side is.
    pub address: SocketAddr,
    /// What calls are signed for, if that is not left to the environment.
    pub region: Option<String>,
}

impl Admin {
    pub(super) fn resolve(config: &AdminConfig, found: &mut Problems) -> Self {
        Self {
            address: found.one("admin", &config.admin, address).unwrap_or(ADMIN_DEFAULT),
            region: found.one("region", &config.region, region),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, Invalid> {
    let address = text.strip_prefix("http://").unwrap_or(text);
    socket_address(address.trim_end_matches('/'))
}

fn region(text: &str) -> Result<String, Invalid> {
    let is_region = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_region {
        Ok(text.to_owned())
    } else {
        Err(Invalid(format!("expected a region such as us-east-1, not `{text}`")))
    }
}

impl Options for AdminConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "admin" => Slot::One(&mut self.admin),
            "region" => Slot::One(&mut self.region),
            _ => return None,
        })
    }
}
