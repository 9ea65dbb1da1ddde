//! Whether what is being edited is what is served.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Api, Collection, Definition};

/// Stages of `api` that serve something else than its definition as it is now.
pub fn undeployed(api: &Api) -> Vec<&str> {
    let mut is_current: BTreeMap<&str, bool> = BTreeMap::new();
    let serves_other =
        |id: &str| api.deployments.get(id).is_some_and(|deployment| !is_same(&deployment.definition, &api.definition));
    let stages = api.stages.values();
    let stages = stages.filter(|stage| {
        let id = stage.deployment_id.as_str();
        *is_current.entry(id).or_insert_with(|| serves_other(id))
    });
    stages.map(|stage| stage.stage_name.as_str()).collect()
}

/// Whether two definitions answer alike: tags and documentation change no request.
fn is_same(a: &Definition, b: &Definition) -> bool {
    all_same(&a.resources, &b.resources)
        && all_same(&a.models, &b.models)
        && all_same(&a.request_validators, &b.request_validators)
        && all_same(&a.authorizers, &b.authorizers)
        && all_same(&a.gateway_responses, &b.gateway_responses)
        && (Arc::ptr_eq(&a.rest_api, &b.rest_api) || {
            let mut of_a = (*a.rest_api).clone();
            of_a.tags.clone_from(&b.rest_api.tags);
            of_a == *b.rest_api
        })
}

fn all_same<T: PartialEq>(a: &Collection<T>, b: &Collection<T>) -> bool {
    let same = |(x, y): (&Arc<T>, &Arc<T>)| Arc::ptr_eq(x, y) || x == y;
    a.len() == b.len() && a.keys().eq(b.keys()) && a.values().zip(b.values()).all(same)
}

/// Lets deployments share with the definition what both have: after a start, as it was before.
pub fn share(api: &mut Api) {
    let live = api.definition.clone();
    for deployment in api.deployments.values_mut() {
        let deployment = Arc::make_mut(deployment);
        let frozen = Arc::make_mut(&mut deployment.definition);
        share_all(&mut frozen.resources, &live.resources);
        share_all(&mut frozen.models, &live.models);
        share_all(&mut frozen.request_validators, &live.request_validators);
        share_all(&mut frozen.authorizers, &live.authorizers);
        share_all(&mut frozen.gateway_responses, &live.gateway_responses);
        share_all(&mut frozen.documentation_parts, &live.documentation_parts);
        if frozen.rest_api == live.rest_api {
            frozen.rest_api = live.rest_api.clone();
        }
    }
}

fn share_all<T: PartialEq>(frozen: &mut Collection<T>, live: &Collection<T>) {
    for (id, thing) in frozen {
        if let Some(same) = live.get(id).filter(|same| *same == thing) {
            *thing = same.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Deployment;
    use super::*;
    use crate::admin::wire::deployment::{Deployment as Document, Stage};
    use crate::admin::wire::resource::Resource;

    fn resource(path: &str) -> Arc<Resource> {
        Arc::new(Resource { id: "r".to_owned(), path: path.to_owned(), ..Resource::default() })
    }

    #[test]
    fn a_stage_is_behind_until_its_deployment_is_what_is_there() {
        let mut api = Api::default();
        api.definition.resources.insert("r".to_owned(), resource("/a"));
        let deployment = Deployment::new(Document::default(), Arc::new(api.definition.clone()));
        api.deployments.insert("d".to_owned(), Arc::new(deployment));
        let stage =
            |name: &str| Stage { stage_name: name.to_owned(), deployment_id: "d".to_owned(), ..Stage::default() };
        api.stages.insert("prod".to_owned(), Arc::new(stage("prod")));
        assert!(undeployed(&api).is_empty());
        api.definition.resources.insert("r".to_owned(), resource("/b"));
        assert_eq!(undeployed(&api), ["prod"]);
        api.definition.resources.insert("r".to_owned(), resource("/a"));
        assert!(undeployed(&api).is_empty(), "what was taken back is no change");
        share(&mut api);
        let frozen = &api.deployments["d"].definition.resources["r"];
        assert!(Arc::ptr_eq(frozen, &api.definition.resources["r"]));
    }
}
