//! The trail of management calls: who asked for what, when, from where, and what it changed.

use std::ops::ControlFlow;

use ringgate_core::base::WallTime;
use rusqlite::{Connection, Row, params};

use super::RECORD_BYTES_MAX;
use super::error::StoreError;

/// Most entries of one page.
pub const PAGE_ENTRIES_MAX: usize = 1_000;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// One management call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it came.
    pub at: WallTime,
    /// The request id that its caller was told.
    pub id: String,
    /// `ACCOUNT/REGION`.
    pub scope: String,
    /// Who: the access key that signed it, if it was signed.
    pub access_key: Option<String>,
    /// Whether the signature was checked. Where nobody has to sign, anyone may name any key.
    pub key_is_verified: bool,
    /// Address of the caller.
    pub source_ip: String,
    /// `User-Agent` as sent.
    pub user_agent: String,
    /// AWS's name of the operation, such as `CreateRestApi`.
    pub operation: String,
    /// What it is about, as a path: `/restapis/abc123defg/stages/prod`.
    pub resource: String,
    /// What was asked, as a JSON document without secrets.
    pub request: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What changed, as a JSON document.
    pub changed: String,
}

/// How a management call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Succeeded,
    /// It was refused.
    Failed {
        /// AWS's name of the error, such as `NotFoundException`.
        code: String,
        /// What its caller was told.
        message: String,
    },
}

/// Which entries are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this scope, or of this account in any region.
    pub scope: Option<String>,
    /// Of this operation, in AWS's spelling.
    pub operation: Option<String>,
    /// Signed by this access key.
    pub access_key: Option<String>,
    /// About this resource or one below it.
    pub resource: Option<String>,
    /// With this request id.
    pub id: Option<String>,
    /// Not before this time.
    pub since: Option<WallTime>,
    /// Before this time.
    pub until: Option<WallTime>,
    /// The page after the one that named this place.
    pub after: Option<Place>,
    /// Most entries, at most [`PAGE_ENTRIES_MAX`]; zero stands for that.
    pub limit: usize,
}

/// A place in the trail where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub u64);

/// Entries, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
}

/// How much of the trail is kept. Entries go in batches, so a few more than these may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days.
    pub days: u32,
    /// Entries, of all scopes together.
    pub entries: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 90, entries: 100_000 }
    }
}

impl AuditEntry {
    pub(super) fn bytes(&self) -> usize {
        self.request.len() + self.changed.len() + self.user_agent.len() + self.resource.len()
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        let bytes = self.bytes();
        if bytes > RECORD_BYTES_MAX { Err(StoreError::TooLarge { bytes }) } else { Ok(()) }
    }

    pub(super) fn insert(&self, connection: &Connection) -> Result<(), StoreError> {
        let (code, message) = match &self.outcome {
            Outcome::Succeeded => (None, None),
            Outcome::Failed { code, message } => (Some(code), Some(message)),
        };
        let mut insert = connection.prepare_cached(
            "INSERT INTO audit (at, scope, operation, access_key, resource, id, source_ip, user_agent, error_code,
             error_message, request, changed, key_is_verified)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        insert.execute(params![
            number(self.at.as_millis()),
            self.scope,
            self.operation,
            self.access_key,
            self.resource,
            self.id,
            self.source_ip,
            self.user_agent,
            code,
            message,
            self.request,
            self.changed,
            self.key_is_verified,
        ])?;
        Ok(())
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let code: Option<String> = row.get("error_code")?;
        let outcome = match code {
            None => Outcome::Succeeded,
            Some(code) => {
                Outcome::Failed { code, message: row.get::<_, Option<String>>("error_message")?.unwrap_or_default() }
            }
        };
        Ok(Self {
            at: WallTime::from_millis(row.get::<_, i64>("at")?.cast_unsigned()),
            id: row.get("id")?,
            scope: row.get("scope")?,
            access_key: row.get("access_key")?,
            // Tables of the first version, which a process that only reads may meet, name verified keys alone.
            key_is_verified: row.get("key_is_verified").unwrap_or(true),
            source_ip: row.get("source_ip")?,
            user_agent: row.get("user_agent")?,
            operation: row.get("operation")?,
            resource: row.get("resource")?,
            request: row.get("request")?,
            outcome,
            changed: row.get("changed")?,
        })
    }
}

/// SQLite's integers have a sign.
fn number(unsigned: u64) -> i64 {
    i64::try_from(unsigned).unwrap_or(i64::MAX)
}

/// Looks from the newest entry back until the page is full.
pub(super) fn read(connection: &Connection, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    let limit = if query.limit == 0 { PAGE_ENTRIES_MAX } else { query.limit.min(PAGE_ENTRIES_MAX) };
    // No index: in the common case the newest match, and a trail has few entries for a disk.
    let mut select = connection.prepare_cached(
        "SELECT * FROM audit WHERE seq < ?1 AND at >= ?2 AND at < ?3
         AND (?4 IS NULL OR scope = ?4 OR substr(scope, 1, length(?4) + 1) = ?4 || '/')
         AND (?5 IS NULL OR operation = ?5) AND (?6 IS NULL OR access_key = ?6)
         AND (?7 IS NULL OR resource = ?7 OR substr(resource, 1, length(?7) + 1) = ?7 || '/')
         AND (?8 IS NULL OR id = ?8)
         ORDER BY seq DESC LIMIT ?9",
    )?;
    let mut rows = select.query(params![
        query.after.map_or(i64::MAX, |place| number(place.0)),
        query.since.map_or(0, |time| number(time.as_millis())),
        query.until.map_or(i64::MAX, |time| number(time.as_millis())),
        query.scope,
        query.operation,
        query.access_key,
        query.resource,
        query.id,
        limit as i64 + 1,
    ])?;
    let mut page = AuditPage::default();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if page.entries.len() == limit {
            page.next = last;
            break;
        }
        last = Some(Place(row.get::<_, i64>("seq")?.cast_unsigned()));
        page.entries.push(AuditEntry::read(row)?);
    }
    Ok(page)
}

/// Removes up to `batch` entries that are too old or too many. Breaks when there are no more.
pub(super) fn trim(
    connection: &Connection,
    retention: Retention,
    now: WallTime,
    batch: u32,
) -> Result<ControlFlow<()>, StoreError> {
    let oldest = number(now.as_millis().saturating_sub(u64::from(retention.days) * DAY_MS));
    // Entries are numbered as they come and go in that order too, so the first that may stay says what goes. Finding it
    // reads no further than itself.
    let mut remove = connection.prepare_cached(
        "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE seq < coalesce(
            (SELECT seq FROM audit WHERE at >= ?1 AND seq > (SELECT max(seq) FROM audit) - ?2 ORDER BY seq LIMIT 1),
            (SELECT max(seq) + 1 FROM audit)) ORDER BY seq LIMIT ?3)",
    )?;
    let count = remove.execute(params![oldest, number(retention.entries), batch])?;
    Ok(if count < batch as usize { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
}
