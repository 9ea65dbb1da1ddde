//! Where an error came from and what to do about it, in words for whoever gets the complaint.

use crate::record::decision::{Ended, Step, Tag};

use super::Decision;

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Nobody,
    Caller,
    Definition,
    BackEnd,
    Gateway,
}

impl Origin {
    /// In a word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Caller => "caller",
            Self::Definition => "definition",
            Self::BackEnd => "back end",
            Self::Gateway => "gateway",
        }
    }
}

/// Where it came from, and what to do; empty if there is nothing to do.
pub(super) fn advice(decision: &Decision) -> (Origin, String) {
    let error_type = decision.text(Tag::ErrorType);
    if !error_type.is_empty() {
        return of_error(decision, error_type);
    }
    match decision.summary.ended {
        Ended::ClientGone => {
            return (Origin::Caller, "The client left, or read too slowly, before it had the whole response.".into());
        }
        Ended::OriginBroke => {
            let text = "The back end broke off in the middle of its body; the client's connection was closed so that it \
                        does not take the rest for whole. Look at the back end's own log at this time.";
            return (Origin::BackEnd, text.into());
        }
        Ended::TooLarge => {
            let text = "The back end's body is larger than 10 MB. Send less at a time, or run with --limits relaxed.";
            return (Origin::BackEnd, text.into());
        }
        Ended::Complete => {}
    }
    let status = decision.summary.status;
    if status < 400 {
        return (Origin::Nobody, String::new());
    }
    match decision.summary.integration_status {
        0 => (Origin::Definition, format!("The definition answers {status} itself: a MOCK integration says so.")),
        theirs if theirs == status => {
            (Origin::BackEnd, format!("The back end itself answered {status}; the gateway passed it on."))
        }
        theirs => {
            let text =
                format!("The back end answered {theirs}; an integration response of the definition makes it {status}.");
            (Origin::Definition, text)
        }
    }
}

fn of_error(decision: &Decision, error_type: &str) -> (Origin, String) {
    if let Some(of_call) = of_call(decision) {
        return of_call;
    }
    let reason = decision.text(Tag::Reason);
    match error_type {
        "MISSING_AUTHENTICATION_TOKEN" => (Origin::Caller, unknown_route(decision)),
        "RESOURCE_NOT_FOUND" => {
            let text = "Call http://{api id}.execute-api.localhost:{port}/{stage}/…, or a host that a domain mapping \
                        names.";
            (Origin::Caller, text.into())
        }
        "UNSUPPORTED_MEDIA_TYPE" => {
            let text = "The integration has no request template for this Content-Type and its passthroughBehavior \
                        forbids to pass the body on. Send another type, add a template, or allow WHEN_NO_MATCH.";
            (Origin::Caller, text.into())
        }
        "REQUEST_TOO_LARGE" => (Origin::Caller, "A request body may have 10 MB; --limits relaxed lifts that.".into()),
        "BAD_REQUEST_BODY" | "BAD_REQUEST_PARAMETERS" => {
            (Origin::Caller, "The request validator of the method refused it: correct what it names above.".into())
        }
        "UNAUTHORIZED" | "ACCESS_DENIED" | "INVALID_API_KEY" | "INVALID_SIGNATURE" | "EXPIRED_TOKEN" => {
            let text = if decision.summary.step == Step::Find {
                "The API exists, its stage does not: correct the stage in the URL, or deploy to it."
            } else {
                "The caller's credentials were refused: see what was checked above."
            };
            (Origin::Caller, text.into())
        }
        "DEFAULT_4XX" if decision.summary.step == Step::Find => (
            Origin::Caller,
            "The API exists, its stage does not: correct the stage in the URL, or deploy to it.".into(),
        ),
        "DEFAULT_4XX" => (Origin::Caller, String::new()),
        "THROTTLED" | "QUOTA_EXCEEDED" => (Origin::Caller, "A limit was reached: see above which.".into()),
        "API_CONFIGURATION_ERROR" if reason.contains("not supported") => {
            let text = "This version does not obey what protects or answers the method, so it refuses rather than \
                        guess. `ringgate check` lists all such methods.";
            (Origin::Definition, text.into())
        }
        "API_CONFIGURATION_ERROR" => {
            (Origin::Definition, "Correct the integration of this method; `ringgate check` points at the place.".into())
        }
        "DEFAULT_5XX" => (Origin::Gateway, "The gateway is at one of its caps: see the reason.".into()),
        _ => (Origin::BackEnd, String::new()),
    }
}

/// What a call that failed means.
fn of_call(decision: &Decision) -> Option<(Origin, String)> {
    let to = decision.address.map_or_else(|| decision.endpoint().unwrap_or_default(), |address| format!("{address}"));
    let back_end = |text: String| Some((Origin::BackEnd, text));
    match decision.text(Tag::Failure) {
        "refused" => back_end(format!(
            "Nothing accepts connections at {to}. Start the back end, or correct the URI (dev: --upstream FROM=TO)."
        )),
        "name_not_found" => {
            let text = "The name of the back end does not resolve from here: correct the URI or the name server.";
            Some((Origin::Definition, text.into()))
        }
        "address_not_allowed" => {
            let text = "That address is refused for safety; --allow-origin-address names exceptions.";
            Some((Origin::Definition, text.into()))
        }
        "network" => back_end(format!(
            "{to} closed or reset the connection, or its TLS failed, before it answered. Look at the back end's log at \
             this time; with https check its certificate."
        )),
        "protocol" => {
            back_end(format!("{to} answered with something that is no valid HTTP; /metrics counts which fault."))
        }
        "timeout" => back_end(format!(
            "{to} did not answer within the integration's timeout. Find out what it was busy with; raise \
             timeoutInMillis (at most 29,000, with --limits relaxed 300,000) only if it needs longer by nature."
        )),
        "too_many_connections" => {
            Some((Origin::Gateway, "Raise --origin-connections-max, or make the back end faster.".into()))
        }
        "out_of_descriptors" => {
            Some((Origin::Gateway, "Raise the limit of open files; `ringgate doctor` says how.".into()))
        }
        "out_of_memory" => Some((Origin::Gateway, "Raise --memory-max, or send fewer large bodies at a time.".into())),
        "client_gone" => Some((Origin::Caller, "The client left before its body was complete.".into())),
        "client_timeout" => Some((Origin::Caller, "The client was too slow with its body (--body-timeout).".into())),
        "client_malformed" => Some((Origin::Caller, "The framing of the client's body is broken.".into())),
        _ => None,
    }
}

fn unknown_route(decision: &Decision) -> String {
    let (method, path) = (decision.method(), decision.resource_path_given());
    format!(
        "No resource of the stage matches `{path}`, or the one that does has no method {method}. Compare with the \
         routes that `dev` lists at start; a path that repeats the stage's name is a common slip. (AWS answers \
         403 Missing Authentication Token here, not 404.)"
    )
}
