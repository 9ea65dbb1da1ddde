//! `DomainNameAccessAssociation`: which VPC endpoint may use a private domain name.

use std::sync::Arc;

use super::domains::RESOURCE_OWNERS;
use super::request::new_id;
use super::{Operation, Request, read, write};
use crate::admin::state::Tenant;
use crate::admin::wire::account::DomainNameAccessAssociation;
use crate::admin::wire::error::Error;
use crate::admin::wire::reply::{Answer, Reply};
use crate::admin::wire::tags::check;

const ALL: &str = "/domainnameaccessassociations";

pub(super) const OPERATIONS: &[Operation] = &[
    read("GetDomainNameAccessAssociations", "GET", ALL, list),
    write("CreateDomainNameAccessAssociation", "POST", ALL, create),
    write("DeleteDomainNameAccessAssociation", "DELETE", "/domainnameaccessassociations/{arn+}", delete),
    write("RejectDomainNameAccessAssociation", "POST", "/rejectdomainnameaccessassociations", reject),
];

fn list(tenant: &Tenant, request: &Request<'_>) -> Answer {
    request.check_query("resourceOwner", &RESOURCE_OWNERS)?;
    let is_own = request.query("resourceOwner") != Some("OTHER_ACCOUNTS");
    let associations = tenant.access_associations.iter().filter(|_| is_own);
    request.page(associations.map(|(arn, association)| (arn.clone(), association.clone())))
}

fn create(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let (domain, kind, source, tags) = request.read(|input| {
        let kind = input.one_of("accessAssociationSourceType", &["VPCE"])?;
        if kind.is_none() {
            input.required_string("accessAssociationSourceType")?;
        }
        let domain = input.required_string("domainNameArn")?;
        Ok((domain, kind, input.required_string("accessAssociationSource")?, input.texts("tags")?))
    })?;
    let known = tenant.domain_names.values().find(|known| known.domain_name_arn.as_deref() == Some(&domain));
    let name = &known.ok_or_else(|| Error::not_found("Invalid domain name identifier specified"))?.domain_name;
    let (account, region) = (&request.caller.account, &request.caller.region);
    let taken = |association: &Arc<DomainNameAccessAssociation>| {
        association.domain_name_arn == domain && association.access_association_source == source
    };
    if tenant.access_associations.values().any(taken) {
        return Err(Error::conflict("The domain name access association already exists"));
    }
    let tags = tags.unwrap_or_default();
    check(&tags)?;
    let association = DomainNameAccessAssociation {
        domain_name_access_association_arn: format!(
            "arn:aws:apigateway:{region}:{account}:/domainnameaccessassociations/domainname/{name}/vpcesource/{source}+{}",
            new_id(10)
        ),
        domain_name_arn: domain,
        access_association_source_type: kind.unwrap_or_default(),
        access_association_source: source,
        tags,
    };
    let reply = Reply::created(&association);
    let arn = association.domain_name_access_association_arn.clone();
    tenant.access_associations.insert(arn, Arc::new(association));
    Ok(reply)
}

pub(super) fn unknown() -> Error {
    Error::not_found("Invalid domain name access association identifier specified")
}

fn remove(tenant: &mut Tenant, arn: &str) -> Answer {
    tenant.access_associations.remove(arn).ok_or_else(unknown)?;
    Ok(Reply::accepted())
}

fn delete(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    remove(tenant, request.label("arn"))
}

fn reject(tenant: &mut Tenant, request: &Request<'_>) -> Answer {
    let arn = request.query("domainNameAccessAssociationArn").unwrap_or_default();
    // Whoever owns the domain name may reject, and names it.
    let is_of = |association: &Arc<DomainNameAccessAssociation>| {
        request.query("domainNameArn") == Some(&association.domain_name_arn)
    };
    if tenant.access_associations.get(arn).is_some_and(|association| !is_of(association)) {
        return Err(Error::not_found("Invalid domain name identifier specified"));
    }
    remove(tenant, arn)
}
