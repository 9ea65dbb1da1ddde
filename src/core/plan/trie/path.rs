//! Cuts the stage off a request path, and says what of the path the integration and `$context` see.
//!
//! Ranges, not copies. Only slashes at the beginning ever collapse: those inside a path belong to what captures them.

use memchr::memchr;

/// A range of the path it was cut from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    pub(in crate::plan) fn of(start: usize, end: usize) -> Self {
        // Callers refuse longer texts; a span of a text that long would be empty rather than wrong.
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    /// The bytes meant. Empty if `text` is not what the span was cut from.
    pub fn of_text(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Number of bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether it is a range of nothing.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// A path whose first segment is taken for a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagePath {
    /// The stage's name; empty for `/`.
    pub stage: Span,
    /// What follows the stage, from its slash on, as sent; may be empty. This is what is routed.
    pub rest: Span,
    /// `$context.path`: all of the path, leading slashes collapsed to one.
    pub context: Span,
}

/// Cuts the first segment off as the stage: `/dev/pets/1` is stage `dev` and rest `/pets/1`.
pub fn split_stage(path: &[u8]) -> StagePath {
    let context = collapse_leading(path);
    let after_slash = context.start as usize + usize::from(context.of_text(path).first() == Some(&b'/'));
    let named = path.get(after_slash..).unwrap_or_default();
    let end = after_slash + memchr(b'/', named).unwrap_or(named.len());
    StagePath { stage: Span::of(after_slash, end), rest: Span::of(end, path.len()), context }
}

/// `path` with its leading slashes collapsed to one: what the integration sees of what follows a stage. A path that is
/// empty, or is sent without a slash, stays as it is; see [`shown`].
pub fn collapse_leading(path: &[u8]) -> Span {
    let slashes = leading_slashes(path);
    Span::of(slashes.saturating_sub(1), path.len())
}

/// The path that an event or `$context` prints for `span`: the text itself, or `/` if there is none.
pub fn shown(span: Span, path: &[u8]) -> &[u8] {
    match span.of_text(path) {
        b"" => b"/",
        text => text,
    }
}

/// Where the segments of `path` begin and end, when leading slashes collapse and trailing ones are ignored. AWS's
/// answer to more than one trailing slash is not recorded; they are treated like one.
pub(super) fn trim_slashes(path: &[u8]) -> (usize, usize) {
    let start = leading_slashes(path);
    let trailing = path.iter().rev().take_while(|&&byte| byte == b'/').count();
    (start, path.len().saturating_sub(trailing).max(start))
}

fn leading_slashes(path: &[u8]) -> usize {
    path.iter().take_while(|&&byte| byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Request path, stage, path of the event, `$context.path`: the rows of the recording.
    const RECORDED: [(&str, &str, &str, &str); 8] = [
        ("/stage/proxy-value", "stage", "/proxy-value", "/stage/proxy-value"),
        ("/stage/proxy-value/", "stage", "/proxy-value/", "/stage/proxy-value/"),
        ("/stage/proxy-value//double-slash", "stage", "/proxy-value//double-slash", "/stage/proxy-value//double-slash"),
        ("/stage//hardcoded", "stage", "/hardcoded", "/stage//hardcoded"),
        ("//stage/proxy-value", "stage", "/proxy-value", "/stage/proxy-value"),
        ("/stage//proxy-value", "stage", "/proxy-value", "/stage//proxy-value"),
        (
            "/stage/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            "stage",
            "/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            "/stage/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
        ),
        ("/stage", "stage", "/", "/stage"),
    ];

    #[test]
    fn paths_are_shown_as_recorded() {
        for (path, stage, event, context) in RECORDED {
            let path = path.as_bytes();
            let cut = split_stage(path);
            assert_eq!(cut.stage.of_text(path), stage.as_bytes());
            assert_eq!(shown(cut.context, path), context.as_bytes());
            let rest = cut.rest.of_text(path);
            assert_eq!(shown(collapse_leading(rest), rest), event.as_bytes(), "{}", String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn a_path_without_segments_has_no_stage() {
        for path in ["", "/", "///"] {
            let cut = split_stage(path.as_bytes());
            assert!(cut.stage.is_empty(), "{path:?}");
            assert!(cut.rest.is_empty(), "{path:?}");
            assert_eq!(shown(cut.context, path.as_bytes()), b"/");
        }
    }

    #[test]
    fn a_span_of_another_text_is_empty_and_does_not_panic() {
        assert_eq!(Span { start: 5, end: 9 }.of_text(b"abc"), b"");
        assert_eq!(Span { start: 9, end: 5 }.len(), 0);
    }
}
