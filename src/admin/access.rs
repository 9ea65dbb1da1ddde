//! Who calls the management API: every call carries a [`Caller`] in its extensions, or is refused.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::{self, Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::Response;
use ringgate_core::aws::sigv4::{
    self, Claim, Credential, Expected, KeyCache, PathStyle, Presented, Refusal, UnsignedPayload,
};
use ringgate_core::base::WallTime;

use super::credentials::{self, FILE_BYTES_MAX, Holder};
use super::wire::error::Error;
use super::{BODY_BYTES_MAX, Management, audit, refused, with_fields};

/// How far a client's clock may be off.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// How long a change of the credentials file may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Permissions of a file that others may read or write.
const OTHERS: u32 = 0o077;

/// Who makes a call of the management API, on whose state. In the extensions of every request that reaches a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The access key that signed the call, or that it says has signed it where nobody has to.
    pub access_key: Option<String>,
    /// Whether the signature was checked.
    pub key_is_verified: bool,
    /// The account it acts in, twelve digits.
    pub account: String,
    /// The region it acts in.
    pub region: String,
    /// Where it comes from.
    pub source_ip: IpAddr,
    /// What it calls itself; empty when it does not say.
    pub user_agent: String,
}

/// Who may call.
#[derive(Clone, Debug)]
pub struct Access(Arc<Rule>);

#[derive(Debug)]
struct Rule {
    account: String,
    region: String,
    /// `None`: anyone, since the listener is on loopback.
    keys: Option<Mutex<Keys>>,
}

impl Access {
    /// Anyone may call, in this account, and in the region that the call is signed for or else in this one.
    pub fn open(account: &str, region: &str) -> Self {
        Self(Arc::new(Rule { account: account.to_owned(), region: region.to_owned(), keys: None }))
    }

    /// The holders of the keys in `file` may call, each in its account, or else in this one. The file is read again
    /// when it changes.
    ///
    /// # Errors
    /// Why the file cannot be read, in words.
    pub fn signed(account: &str, region: &str, file: &Path) -> Result<Self, String> {
        let keys = Some(Mutex::new(Keys::load(file)?));
        Ok(Self(Arc::new(Rule { account: account.to_owned(), region: region.to_owned(), keys })))
    }
}

/// The keys of a file, as it was when it was last looked at.
#[derive(Debug)]
struct Keys {
    file: PathBuf,
    version: Version,
    looked: Instant,
    holders: Holders,
    scratch: Vec<u8>,
}

/// By access key, each with its signing key of the day.
type Holders = BTreeMap<String, (Holder, KeyCache)>;

/// What changes when a file is written or replaced; `None` when it is gone.
type Version = Option<(u64, i64, i64, u64)>;

impl Keys {
    fn load(file: &Path) -> Result<Self, String> {
        let (version, holders) = read(file)?;
        Ok(Self { file: file.to_owned(), version, looked: Instant::now(), holders, scratch: Vec::new() })
    }

    /// A file that has become wrong is told once, and the keys before it stay.
    fn look_again(&mut self) {
        if self.looked.elapsed() < LOOK_AGAIN {
            return;
        }
        self.looked = Instant::now();
        let found = fs::metadata(&self.file).ok().as_ref().and_then(version);
        if found == self.version {
            return;
        }
        self.version = found;
        match read(&self.file) {
            Ok((version, holders)) => (self.version, self.holders) = (version, holders),
            Err(why) => eprintln!("ringgate: --admin-credentials: {why}; the keys before go on being good"),
        }
    }

    /// Whose key it is, if it goes with this session token.
    fn holder(&mut self, claim: &Claim<'_>) -> Result<&mut (Holder, KeyCache), Refusal> {
        let held = self.holders.get_mut(claim.credential().access_key).ok_or_else(Refusal::unknown_key)?;
        if claim.has_token(held.0.token.as_deref()) { Ok(held) } else { Err(Refusal::unknown_key()) }
    }

    /// Whether the holder of the key signed this; its account, if it has one.
    fn verify(
        &mut self,
        claim: &Claim<'_>,
        request: &sigv4::Request<'_>,
        body: &[u8],
    ) -> Result<Option<String>, Refusal> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let (holder, cache) = self.holder(claim)?;
        let key = cache.key(&holder.secret, &claim.credential().scope);
        let verified = claim.verify(request, sigv4::hash(body), key, &mut scratch);
        let account = holder.account.clone();
        self.scratch = scratch;
        verified.map(|()| account)
    }
}

fn version(metadata: &Metadata) -> Version {
    Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len()))
}

fn read(file: &Path) -> Result<(Version, Holders), String> {
    let told = |why: String| format!("{}: {why}", file.display());
    let metadata = fs::metadata(file).map_err(|error| told(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return Err(told(format!("expected a file of at most {FILE_BYTES_MAX} bytes")));
    }
    if metadata.mode() & OTHERS != 0 {
        let file = file.display();
        eprintln!("ringgate: --admin-credentials: others may read or write {file} (fix: chmod 600 {file})");
    }
    let text = fs::read_to_string(file).map_err(|error: io::Error| told(error.to_string()))?;
    let holders = credentials::read(&text).map_err(told)?;
    let holders = holders.into_iter().map(|(key, holder)| (key, (holder, KeyCache::default()))).collect();
    Ok((version(&metadata), holders))
}

/// Who may call, and what counts those who may not.
pub(super) type Guard = (Access, Arc<Management>);

/// Tells the handlers who calls, or refuses.
pub(super) async fn identify(State((access, management)): State<Guard>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let identified = match &access.0.keys {
        None => Ok((access.anyone(&head), body)),
        Some(keys) => access.holder(keys, &head, body).await,
    };
    match identified {
        Ok((caller, body)) => {
            head.extensions.insert(caller);
            next.run(Request::from_parts(head, body)).await
        }
        Err(error) => {
            let id = management.refuse(&head, &error);
            with_fields(refused(&error), [("x-amzn-requestid", Some(id))])
        }
    }
}

impl Access {
    fn anyone(&self, head: &Parts) -> Caller {
        // SDKs sign whether they are asked to or not: the scope says which region the client was set to.
        let claimed = text(&head.headers, &header::AUTHORIZATION).and_then(Credential::claimed);
        let region = claimed.map_or(self.0.region.as_str(), |credential| credential.scope.region);
        let key = claimed.map(|credential| credential.access_key).filter(|key| is_key(key));
        Caller { key_is_verified: false, ..self.caller(head, key, &self.0.account, region) }
    }

    /// Whoever signed the call. The body is read only for somebody whose key is known.
    async fn holder(&self, keys: &Mutex<Keys>, head: &Parts, body: Body) -> Result<(Caller, Body), Error> {
        let headers: Vec<(&str, &[u8])> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = sigv4::Request {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &headers,
        };
        let presented = Presented::read(&request).map_err(forbidden)?;
        let claim = presented.claim(&request, &expected(&head.headers), now()).map_err(forbidden)?;
        {
            let mut keys = lock(keys);
            keys.look_again();
            keys.holder(&claim).map_err(forbidden)?;
        }
        let body: Bytes = body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Error::too_large())?;
        let account = lock(keys).verify(&claim, &request, &body).map_err(forbidden)?;
        let Credential { access_key, scope } = claim.credential();
        let account = account.as_deref().unwrap_or(&self.0.account);
        Ok((self.caller(head, Some(access_key), account, scope.region), body.into()))
    }

    fn caller(&self, head: &Parts, access_key: Option<&str>, account: &str, region: &str) -> Caller {
        // Nothing is believed that a client says about where it is.
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        Caller {
            access_key: access_key.map(str::to_owned),
            key_is_verified: true,
            account: account.to_owned(),
            region: region.to_owned(),
            source_ip: peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(address)| address.ip().to_canonical()),
            user_agent: text(&head.headers, &header::USER_AGENT).unwrap_or_default().to_owned(),
        }
    }
}

/// Whether a text can be an access key, which is 16 to 128 letters, digits and underscores on AWS and may be shorter
/// here.
fn is_key(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// One listener answers for two services, which a call tells apart by its target.
fn expected(headers: &HeaderMap) -> Expected<'static> {
    Expected {
        services: if audit::is_lookup(headers) { &["cloudtrail"] } else { &["apigateway"] },
        region: None,
        skew: SKEW,
        path_style: PathStyle::Normalized,
        unsigned_payload: UnsignedPayload::Refused,
    }
}

/// AWS's answer, in the long form that says what should have been signed.
fn forbidden(refusal: Refusal) -> Error {
    Error { status: 403, kind: refusal.reason.exception(), message: refusal.to_string() }
}

fn lock(keys: &Mutex<Keys>) -> MutexGuard<'_, Keys> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http;

    use super::*;

    #[test]
    fn an_open_listener_takes_region_and_key_from_the_scope_and_believes_nothing_else() {
        let access = Access::open("111122223333", "us-east-1");
        let signed = "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/apigateway/aws4_request, \
                      SignedHeaders=host, Signature=0";
        for (authorization, region, key) in [(signed, "eu-west-1", Some("AKID")), ("Bearer x", "us-east-1", None)] {
            let request = http::Request::builder()
                .header("authorization", authorization)
                .header("x-forwarded-for", "203.0.113.9")
                .header("user-agent", "test/1")
                .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4))))
                .body(())
                .expect("plain");
            let expected = Caller {
                access_key: key.map(str::to_owned),
                key_is_verified: false,
                account: "111122223333".to_owned(),
                region: region.to_owned(),
                source_ip: Ipv4Addr::LOCALHOST.into(),
                user_agent: "test/1".to_owned(),
            };
            assert_eq!(access.anyone(&request.into_parts().0), expected);
        }
    }
}
