//! What a gateway says at start: findings, routes, and the URLs to call.

use std::net::SocketAddr;
use std::path::Path;

use ringgate_core::base::Diagnostic;
use ringgate_core::import::{Format, render};
use ringgate_core::plan::{IntegrationPlan, RoutePlan, StagePlan};

use crate::cli::definition::{count, sort};
use crate::config::Settings;
use crate::config::settings::Authorization;
use crate::config::values::ListenAddress;
use crate::control::served::StageReport;
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

/// Says of stages that were made earlier which have findings.
pub fn print_stages(stages: &[StageReport]) {
    for stage in stages {
        if let Some(first) = stage.findings.first() {
            let more = match stage.findings.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            eprintln!("ringgate: {}/{}: {}{more}", stage.api_id, stage.stage_name, first.message);
        }
    }
}

/// Prints the URLs to standard error, with the route table of the stage that answers on them; standard output is the
/// access log's.
pub fn print(settings: &Settings, driver: Driver, addresses: &[Address], bare: Option<&StagePlan>) {
    if let Some(stage) = bare {
        print_routes(&stage.routes);
    }
    if settings.authorization == Authorization::Ignored {
        eprintln!(
            "ringgate: AUTHORIZATION IS IGNORED (--ignore-authorization): protected methods are served to anyone"
        );
    }
    for address in addresses {
        match (address, bare) {
            (Address::Tcp(address), Some(stage)) => {
                let (id, name, port) = (&stage.api_id, &stage.name, address.port());
                eprintln!("ringgate: serving http://{address}/ (stage `{name}`, also http://{address}/{name}/)");
                eprintln!("          or http://{id}.execute-api.localhost:{port}/{name}/");
            }
            (Address::Tcp(address), None) => {
                let port = address.port();
                eprintln!(
                    "ringgate: serving http://{address}/ (an API at http://ID.execute-api.localhost:{port}/STAGE/"
                );
                eprintln!("          or http://{address}/restapis/ID/STAGE/_user_request_/)");
            }
            (Address::Unix(path), Some(stage)) => eprintln!("ringgate: serving {path} (stage `{}`)", stage.name),
            (Address::Unix(path), None) => eprintln!("ringgate: serving {path}"),
        }
    }
    let admin = settings.admin.address;
    let metrics = settings.admin.metrics.unwrap_or(admin);
    eprintln!("ringgate: admin http://{admin}/, metrics http://{metrics}/metrics, health http://{metrics}/healthz");
    eprintln!("ringgate: {} shards on {}", settings.shards, driver.as_str());
}

fn print_routes(routes: &[RoutePlan]) {
    let width = routes.iter().take(ROUTES_MAX).map(|route| route.resource_path.len()).max().unwrap_or(0);
    for route in routes.iter().take(ROUTES_MAX) {
        eprintln!("  {:<7} {:<width$}  {}", route.method, route.resource_path, target(route));
    }
    if routes.len() > ROUTES_MAX {
        eprintln!("  … and {} more routes", routes.len() - ROUTES_MAX);
    }
}

fn target(route: &RoutePlan) -> String {
    if let Some(why) = &route.closed {
        return format!("500: {why}");
    }
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
