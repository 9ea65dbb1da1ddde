//! Request targets (RFC 9112 §3.2): four forms, of which this gateway reads three.

use memchr::{memchr, memchr2};

use super::refusal::Refusal;
use super::span::Span;
use crate::proto::http::{Authority, Method};

/// The form of a request target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TargetForm {
    /// `/path?query`.
    #[default]
    Origin,
    /// `http://authority/path?query`.
    Absolute,
    /// `authority:port`: CONNECT alone uses it, so no request that was read has it.
    Authority,
    /// `*`: the server as a whole.
    Asterisk,
}

/// A request target taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) form: TargetForm,
    pub(super) text: Span,
    pub(super) authority: Option<Span>,
    pub(super) path: Span,
    pub(super) query: Option<Span>,
}

impl Target {
    /// Reads the target at `text`, which holds visible ASCII only. A fragment is cut off: it is no part of a request
    /// target, common servers drop it, and since we write the target anew nobody behind us sees another one.
    #[inline]
    pub(super) fn read(bytes: &[u8], text: Span, method: Method) -> Result<Self, Refusal> {
        match text.of(bytes) {
            _ if method == Method::Connect => Err(Refusal::Connect),
            [b'/', ..] => Ok(Self::split(bytes, TargetForm::Origin, text, None, text.start as usize)),
            b"*" if allows_asterisk(method) => {
                Ok(Self { form: TargetForm::Asterisk, text, path: text, ..Self::default() })
            }
            _ => Self::absolute(bytes, text),
        }
    }

    fn absolute(bytes: &[u8], text: Span) -> Result<Self, Refusal> {
        let all = text.of(bytes);
        let scheme_len = scheme_len(all).ok_or(Refusal::BadTarget)?;
        let rest = all.get(scheme_len..).unwrap_or_default();
        let authority_len = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let start = text.start as usize + scheme_len;
        let authority = Span::new(start, start + authority_len);
        Authority::parse(authority.of(bytes)).ok_or(Refusal::BadTarget)?;
        Ok(Self::split(bytes, TargetForm::Absolute, text, Some(authority), authority.end()))
    }

    /// Splits what follows the authority, from `path_start` on, into path and query.
    #[inline]
    fn split(bytes: &[u8], form: TargetForm, text: Span, authority: Option<Span>, path_start: usize) -> Self {
        let (start, mut end) = (text.start as usize, text.end());
        let rest = bytes.get(path_start..end).unwrap_or_default();
        let path_end = path_start + memchr2(b'?', b'#', rest).unwrap_or(rest.len());
        let mut query = None;
        if path_end < end {
            let after = bytes.get(path_end..end).unwrap_or_default();
            end = path_end + memchr(b'#', after).unwrap_or(after.len());
            query = (after[0] == b'?').then(|| Span::new(path_end + 1, end));
        }
        Self { form, text: Span::new(start, end), authority, path: Span::new(path_start, path_end), query }
    }
}

/// RFC 9112 §3.2.4 has `*` with OPTIONS only. Other registered methods use it too (M-SEARCH); those that an API can
/// define never do.
fn allows_asterisk(method: Method) -> bool {
    matches!(method, Method::Options | Method::Other)
}

fn scheme_len(text: &[u8]) -> Option<usize> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .map(<[u8]>::len)
}
