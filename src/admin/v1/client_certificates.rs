//! `ClientCertificate`: what the gateway shows to back ends. Self-signed, for a year, as AWS's are.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::api_keys::with_tags;
use super::request::{Quota, new_id};
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::EpochSeconds;
use crate::admin::wire::account::ClientCertificate;
use crate::admin::wire::error::Error;
use crate::admin::wire::patch;
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::tags::check;

const ONE: &str = "/clientcertificates/{clientcertificate_id}";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetClientCertificates", "GET", "/clientcertificates", list),
    write("GenerateClientCertificate", "POST", "/clientcertificates", generate),
    read("GetClientCertificate", "GET", ONE, get),
    write("UpdateClientCertificate", "PATCH", ONE, update),
    write("DeleteClientCertificate", "DELETE", ONE, delete),
];

const CERTIFICATES: Quota = Quota::of_account(60, "client certificates");
const DAYS: i64 = 365;
const DAY_SECONDS: i64 = 86_400;

fn shown(certificate: &ClientCertificate) -> Value {
    let mut shown = json!(certificate);
    if let Some(members) = shown.as_object_mut() {
        members.remove("privateKey");
    }
    shown
}

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let certificates = tenant.client_certificates.iter();
    request.page(certificates.map(|(id, certificate)| (id.clone(), shown(certificate))))
}

fn generate(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (description, tags) =
        request.read(|input| Ok((input.string("description")?, input.texts("tags")?.unwrap_or_default())))?;
    check(&tags)?;
    request.check_count(tenant.client_certificates.len(), CERTIFICATES)?;
    let now = request.now();
    let (certificate, key) = self_signed(now).map_err(|error| Error::unavailable(error.to_string()))?;
    let certificate = ClientCertificate {
        client_certificate_id: new_id(6),
        description: description.filter(|text| !text.is_empty()),
        pem_encoded_certificate: certificate,
        private_key: key,
        created_date: now,
        expiration_date: now + DAYS * DAY_SECONDS,
        tags,
    };
    let reply = Reply::created(&shown(&certificate));
    tenant.client_certificates.insert(certificate.client_certificate_id.clone(), Arc::new(certificate));
    Ok(reply)
}

/// A certificate and its key, both PEM.
fn self_signed(now: EpochSeconds) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).or_else(|_| KeyPair::generate())?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "ApiGateway");
    let at = |seconds: i64| rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(seconds.unsigned_abs());
    params.not_before = at(now);
    params.not_after = at(now + DAYS * DAY_SECONDS);
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid Client Certificate identifier specified")
}

fn get(tenant: &Tenant, request: &Request<'_>) -> Answer {
    let certificate = tenant.client_certificates.get(request.label("clientcertificate_id")).ok_or_else(unknown)?;
    Ok(Reply::ok(&with_tags(shown(certificate))))
}

fn update(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let operations = request.patch()?;
    let certificate = tenant.client_certificates.get_mut(request.label("clientcertificate_id")).ok_or_else(unknown)?;
    let certificate = Arc::make_mut(certificate);
    for operation in &operations {
        patch::replaces(operation, &["/description"])?;
        certificate.description = operation.optional();
    }
    Ok(Reply::ok(&with_tags(shown(certificate))))
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let id = request.label("clientcertificate_id");
    let is_user = |certificate: Option<&str>| certificate == Some(id);
    let stages = tenant.apis.values().flat_map(|api| api.stages.values());
    if stages.into_iter().any(|stage| is_user(stage.client_certificate_id.as_deref())) {
        return Err(Error::bad_request("Client certificate is used by a stage"));
    }
    tenant.client_certificates.remove(id).ok_or_else(unknown)?;
    Ok(Reply::accepted())
}
