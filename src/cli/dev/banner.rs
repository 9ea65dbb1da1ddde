//! What `dev` says at start: findings, routes, and the URLs to call.

use std::net::SocketAddr;
use std::path::Path;

use ringgate_core::base::Diagnostic;
use ringgate_core::import::{Format, render};
use ringgate_core::plan::{IntegrationPlan, RoutePlan, StagePlan};

use crate::cli::definition::{count, sort};
use crate::config::Settings;
use crate::config::settings::Authorization;
use crate::config::values::ListenAddress;
use crate::net::listen::Bound;
use crate::net::ring::Driver;

/// Routes printed one by one.
const ROUTES_MAX: usize = 100;

/// Prints findings to standard error, in the order of the file.
pub fn print_findings(path: &Path, mut diagnostics: Vec<Diagnostic>) {
    if diagnostics.is_empty() {
        return;
    }
    sort(&mut diagnostics);
    eprint!("{}", render(&diagnostics, &path.display().to_string(), Format::Human));
    let (errors, warnings) = count(&diagnostics);
    eprintln!("{}: {errors} errors, {warnings} warnings", path.display());
}

/// The addresses that are listened on, with the ports that the kernel chose.
pub fn addresses(settings: &Settings, listeners: &[Vec<Bound>]) -> Vec<Address> {
    let bound = listeners.first().into_iter().flatten();
    let address = |(written, bound): (&ListenAddress, &Bound)| match (written, bound.address()) {
        (_, Some(address)) => Address::Tcp(address),
        (written, None) => Address::Unix(written.to_string()),
    };
    settings.listen.iter().zip(bound).map(address).collect()
}

/// Where requests can be sent.
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket, as written.
    Unix(String),
}

/// Prints the route table and the URLs to standard error; standard output is the access log's.
pub fn print(settings: &Settings, driver: Driver, addresses: &[Address], stage: &StagePlan) {
    let width = stage.routes.iter().take(ROUTES_MAX).map(|route| route.resource_path.len()).max().unwrap_or(0);
    for route in stage.routes.iter().take(ROUTES_MAX) {
        eprintln!("  {:<7} {:<width$}  {}", route.method, route.resource_path, target(route));
    }
    if stage.routes.len() > ROUTES_MAX {
        eprintln!("  … and {} more routes", stage.routes.len() - ROUTES_MAX);
    }
    if settings.authorization == Authorization::Ignored {
        eprintln!(
            "ringgate: AUTHORIZATION IS IGNORED (--ignore-authorization): protected methods are served to anyone"
        );
    }
    for address in addresses {
        match address {
            Address::Tcp(address) => {
                let (id, name, port) = (&stage.api_id, &stage.name, address.port());
                eprintln!("ringgate: serving http://{address}/ (stage `{name}`, also http://{address}/{name}/)");
                eprintln!("          or http://{id}.execute-api.localhost:{port}/{name}/");
            }
            Address::Unix(path) => eprintln!("ringgate: serving {path} (stage `{}`)", stage.name),
        }
    }
    let admin = settings.admin.address;
    let metrics = settings.admin.metrics.unwrap_or(admin);
    eprintln!("ringgate: admin http://{admin}/, metrics http://{metrics}/metrics, health http://{metrics}/healthz");
    eprintln!("ringgate: {} shards on {}", settings.shards, driver.as_str());
}

fn target(route: &RoutePlan) -> String {
    match &route.integration {
        IntegrationPlan::Http(plan) => {
            let kind = if plan.is_proxy { "HTTP_PROXY" } else { "HTTP" };
            let method = plan.method.as_deref().map_or("ANY".into(), String::from_utf8_lossy);
            format!("{kind} {method} {}", plan.uri)
        }
        IntegrationPlan::Mock(_) => "MOCK".to_owned(),
        IntegrationPlan::Unserved(why) | IntegrationPlan::BadEndpoint(why) => format!("500: {why}"),
    }
}
