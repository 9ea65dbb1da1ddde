//! A call: labels, query, body, and who makes it.

use std::fmt::Display;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ringgate_core::base::WallTime;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Operation;
use crate::admin::access::Caller;
use crate::admin::state::{Api, Tenant};
use crate::admin::wire::EpochSeconds;
use crate::admin::wire::error::Error;
use crate::admin::wire::input::{Complaints, Input, members_of};
use crate::admin::wire::patch::{self, PatchOperation};
use crate::admin::wire::reply::{Answer, Reply};

/// A page has this many items unless asked otherwise.
const PAGE_DEFAULT: usize = 25;
/// And never more than this.
const PAGE_MAX: usize = 500;

/// How many there may be of something (dg/limits).
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// As many.
    pub most: usize,
    /// What they are called.
    pub noun: &'static str,
    /// What has them.
    pub owner: &'static str,
}

impl Quota {
    /// A quota of an API.
    pub const fn of_api(most: usize, noun: &'static str) -> Self {
        Self { most, noun, owner: "API" }
    }

    /// A quota of an account.
    pub const fn of_account(most: usize, noun: &'static str) -> Self {
        Self { most, noun, owner: "account" }
    }
}

/// A call of an operation.
pub struct Request<'r> {
    operation: &'static Operation,
    labels: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    /// Header fields.
    pub headers: &'r HeaderMap,
    /// What came after them.
    pub body: &'r [u8],
    /// Who calls.
    pub caller: &'r Caller,
    /// When.
    pub now: WallTime,
    relaxed: bool,
    complaints: Complaints,
    /// `createRestApiInput`: how complaints begin.
    structure: String,
}

/// The parts of a call that come from HTTP.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'r> {
    /// Everything behind the question mark.
    pub query: &'r str,
    /// Header fields.
    pub headers: &'r HeaderMap,
    /// What came after them.
    pub body: &'r [u8],
    /// AWS's counts and sizes are raised.
    pub relaxed: bool,
}

impl<'r> Request<'r> {
    /// A call of `operation`.
    pub fn new((operation, labels): super::Found, parts: Parts<'r>, caller: &'r Caller, now: WallTime) -> Self {
        let mut structure = format!("{}Input", operation.name);
        structure[..1].make_ascii_lowercase();
        let Parts { query, headers, body, relaxed } = parts;
        let complaints = Complaints::default();
        Self { operation, labels, query: pairs(query), headers, body, caller, now, relaxed, complaints, structure }
    }

    /// The operation's name.
    pub fn operation(&self) -> &'static str {
        self.operation.name
    }

    /// Whether AWS's counts and sizes are raised (`--limits relaxed`).
    pub fn limits_are_relaxed(&self) -> bool {
        self.relaxed
    }

    /// A label of the path; empty for one that the path has not.
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_all(name).next()
    }

    /// All values of a query parameter.
    pub fn query_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a query parameter is `true`.
    pub fn query_flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// All query parameters.
    pub fn query_pairs(&self) -> &[(String, String)] {
        &self.query
    }

    /// Seconds since 1970.
    pub fn now(&self) -> EpochSeconds {
        self.now.as_secs().try_into().unwrap_or(EpochSeconds::MAX)
    }

    /// `arn:aws:apigateway:{region}::/{path}`
    pub fn arn(&self, path: impl Display) -> String {
        format!("arn:aws:apigateway:{}::/{path}", self.caller.region)
    }

    /// The API of the path.
    ///
    /// # Errors
    /// There is none.
    pub fn api<'t>(&self, tenant: &'t Tenant) -> Result<&'t Api, Error> {
        let id = self.label("restapi_id");
        tenant.apis.get(id).map(AsRef::as_ref).ok_or_else(|| self.unknown_api(id))
    }

    /// What `find` finds in the API of the path. Of an API that is not there AWS says the same as of a part that is not
    /// (R of models, validators and documentation, reported of stages).
    ///
    /// # Errors
    /// `unknown`.
    pub fn part<'t, T>(
        &self,
        tenant: &'t Tenant,
        find: impl FnOnce(&'t Api) -> Option<&'t T>,
        unknown: fn() -> Error,
    ) -> Result<&'t T, Error> {
        tenant.apis.get(self.label("restapi_id")).and_then(|api| find(api)).ok_or_else(unknown)
    }

    /// The API of the path, to be changed.
    ///
    /// # Errors
    /// There is none.
    pub fn api_mut<'t>(&self, tenant: &'t mut Tenant) -> Result<&'t mut Api, Error> {
        let id = self.label("restapi_id");
        tenant.api_mut(id).ok_or_else(|| self.unknown_api(id))
    }

    /// No such API.
    pub fn unknown_api(&self, id: &str) -> Error {
        Error::unknown_api(&self.caller.account, id)
    }

    /// The members of the body.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn members(&self) -> Result<Map<String, Value>, Error> {
        members_of(self.body)
    }

    /// What `read` makes of the body's members, if the service's model has nothing against them.
    ///
    /// # Errors
    /// It is no JSON object, `read` fails, or the model has something against it.
    pub fn read<T>(&self, read: impl FnOnce(Input<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let members = self.members()?;
        let value = read(Input::new(&members, &self.structure, &self.complaints))?;
        self.complaints.check()?;
        Ok(value)
    }

    /// `patchOperations`.
    ///
    /// # Errors
    /// As [`Request::read`].
    pub fn patch(&self) -> Result<Vec<PatchOperation>, Error> {
        self.read(|input| patch::operations(&input))
    }

    /// As [`Request::read`], with what the model has against labels after what it has against members.
    ///
    /// # Errors
    /// As [`Request::read`].
    pub fn read_labelled<T>(
        &self,
        labels: impl FnOnce(&Complaints),
        read: impl FnOnce(Input<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.read(|input| {
            let value = read(input)?;
            labels(&self.complaints);
            Ok(value)
        })
    }

    /// `patchOperations`, with what the model has against labels after what it has against them.
    ///
    /// # Errors
    /// As [`Request::read`].
    pub fn patch_labelled(&self, labels: impl FnOnce(&Complaints)) -> Result<Vec<PatchOperation>, Error> {
        self.read_labelled(labels, |input| patch::operations(&input))
    }

    /// # Errors
    /// What the model has against labels.
    pub fn check_labels(&self, labels: impl FnOnce(&Complaints)) -> Result<(), Error> {
        labels(&self.complaints);
        self.complaints.check()
    }

    /// # Errors
    /// There are as many as AWS lets there be.
    pub fn check_count(&self, count: usize, quota: Quota) -> Result<(), Error> {
        if count < quota.most || self.relaxed {
            return Ok(());
        }
        let Quota { noun, owner, .. } = quota;
        Err(Error::limit_exceeded(format!(
            "Maximum number of {noun} for this {owner} has been reached. Please contact AWS if you need additional {noun}."
        )))
    }

    /// # Errors
    /// A query parameter is there and none of `allowed`.
    pub fn check_query(&self, name: &str, allowed: &[&str]) -> Result<(), Error> {
        let Some(value) = self.query(name) else { return Ok(()) };
        self.check_labels(|complaints| complaints.one_of(value, name, allowed))
    }

    /// A list that comes whole.
    pub fn whole<T: Serialize>(&self, items: impl IntoIterator<Item = T>) -> Reply {
        Reply::ok(&json!({ "item": items.into_iter().map(|item| json!(item)).collect::<Vec<_>>() }))
    }

    /// A page of a list, which is in the order of its keys: at most `limit` items behind the one whose key `position`
    /// has. It may be gone by now: the list goes on with what would come behind it.
    ///
    /// # Errors
    /// `limit` is no number, or `position` comes from no list.
    pub fn page<T: Serialize>(&self, items: impl IntoIterator<Item = (String, T)>) -> Answer {
        let (page, position) = self.cut(items)?;
        let mut reply = json!({ "item": page });
        if let Some(position) = position {
            reply["position"] = position.into();
        }
        Ok(Reply::ok(&reply))
    }

    /// The items of a page as [`Request::page`] has them, and the `position` of the next one if there is one.
    ///
    /// # Errors
    /// As [`Request::page`].
    pub fn cut<T>(&self, items: impl IntoIterator<Item = (String, T)>) -> Result<(Vec<T>, Option<String>), Error> {
        let after = self.query("position").filter(|position| !position.is_empty()).map(from_position).transpose()?;
        let mut items =
            items.into_iter().skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after)).peekable();
        let page: Vec<_> = items.by_ref().take(self.limit()?).collect();
        let next = page.last().filter(|_| items.peek().is_some()).map(|(last, _)| to_position(last));
        Ok((page.into_iter().map(|(_, item)| item).collect(), next))
    }

    /// How many items a page may have.
    fn limit(&self) -> Result<usize, Error> {
        let Some(text) = self.query("limit").filter(|text| !text.is_empty()) else { return Ok(PAGE_DEFAULT) };
        let limit: i64 = text.parse().map_err(|_| Error::serialization(format!("{text} is not an Integer")))?;
        Ok(usize::try_from(limit).unwrap_or_default().clamp(1, PAGE_MAX))
    }
}

fn to_position(key: &str) -> String {
    BASE64.encode(key)
}

fn from_position(position: &str) -> Result<String, Error> {
    let text = BASE64.decode(position).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Error::bad_request("Invalid position parameter specified"))
}

/// An identifier of `length` characters of `[a-z0-9]`.
pub fn new_id(length: usize) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = vec![0; length];
    // Without randomness no identifier is safe to give out.
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes.into_iter().map(|byte| char::from(DIGITS[usize::from(byte) % DIGITS.len()])).collect()
}

/// The names and values of a query, decoded, in their order.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// Percent-decoded (RFC 3986 section 2.1). What is not UTF-8 then comes out with replacement characters, and names
/// nothing.
pub fn decoded(text: &str) -> String {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match after {
            [high, low, after @ ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|(h, l)| (h << 4 | l, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_labels_are_decoded() {
        assert_eq!(decoded("arn%3Aaws%2f%zz%4"), "arn:aws/%zz%4");
        let expected = [("a", "1 2"), ("b", ""), ("a", "\u{fffd}")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(pairs("a=1+2&b&&a=%ff"), expected);
    }
}
