//! Request methods (RFC 9110 §9).

/// A request method: those the gateway routes by name, and one for the rest that are registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Transfer a representation of the target.
    #[default]
    Get,
    /// Replace the target.
    Put,
    /// Process the content.
    Post,
    /// Remove the target.
    Delete,
    /// Change the target in part (RFC 5789).
    Patch,
    /// Describe the communication options.
    Options,
    /// As GET, without the content.
    Head,
    /// Loop the request back.
    Trace,
    /// Open a tunnel.
    Connect,
    /// Registered or widely used, but not one that an API can define by name: the text tells which.
    Other,
}

/// Methods of the IANA registry and of common software (SSDP, GENA, cache purging, streaming sources) that are read as
/// `Other`. A method in neither list is unknown, and RFC 9110 §9.1 has unknown methods answered with 501.
const OTHERS: [&[u8]; 36] = [
    b"ACL",
    b"BASELINE-CONTROL",
    b"BIND",
    b"CHECKIN",
    b"CHECKOUT",
    b"COPY",
    b"LABEL",
    b"LINK",
    b"LOCK",
    b"M-SEARCH",
    b"MERGE",
    b"MKACTIVITY",
    b"MKCALENDAR",
    b"MKCOL",
    b"MKREDIRECTREF",
    b"MKWORKSPACE",
    b"MOVE",
    b"NOTIFY",
    b"ORDERPATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"PURGE",
    b"QUERY",
    b"REBIND",
    b"REPORT",
    b"SEARCH",
    b"SOURCE",
    b"SUBSCRIBE",
    b"UNBIND",
    b"UNCHECKOUT",
    b"UNLINK",
    b"UNLOCK",
    b"UNSUBSCRIBE",
    b"UPDATE",
    b"UPDATEREDIRECTREF",
    b"VERSION-CONTROL",
];

const NAMED: [Method; 9] = [
    Method::Get,
    Method::Put,
    Method::Post,
    Method::Delete,
    Method::Patch,
    Method::Options,
    Method::Head,
    Method::Trace,
    Method::Connect,
];

impl Method {
    /// The method that `text` names, exactly: methods are case-sensitive. `None` when it is in no list.
    #[inline]
    pub fn from_bytes(text: &[u8]) -> Option<Self> {
        match text {
            b"GET" => Some(Self::Get),
            b"POST" => Some(Self::Post),
            b"PUT" => Some(Self::Put),
            b"HEAD" => Some(Self::Head),
            b"PATCH" => Some(Self::Patch),
            b"DELETE" => Some(Self::Delete),
            b"OPTIONS" => Some(Self::Options),
            b"TRACE" => Some(Self::Trace),
            b"CONNECT" => Some(Self::Connect),
            _ => OTHERS.contains(&text).then_some(Self::Other),
        }
    }

    /// Whether `text` is a method by name but not by case. One server would route it and another would not.
    pub fn differs_in_case_only(text: &[u8]) -> bool {
        let is = |name: &[u8]| name.eq_ignore_ascii_case(text) && name != text;
        NAMED.iter().any(|method| is(method.as_str().as_bytes())) || OTHERS.iter().any(|name| is(name))
    }

    /// The method's name; empty for `Other`, whose name is in the message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Options => "OPTIONS",
            Self::Head => "HEAD",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Other => "",
        }
    }

    /// Whether sending it twice means the same as sending it once (RFC 9110 §9.2.2).
    pub const fn is_idempotent(self) -> bool {
        matches!(self, Self::Get | Self::Put | Self::Delete | Self::Options | Self::Head | Self::Trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_its_own_name_only() {
        for method in NAMED {
            assert_eq!(Method::from_bytes(method.as_str().as_bytes()), Some(method));
        }
        assert_eq!(Method::from_bytes(b"M-SEARCH"), Some(Method::Other));
        assert_eq!(Method::from_bytes(b"get"), None);
        assert_eq!(Method::from_bytes(b""), None);
        assert!(Method::differs_in_case_only(b"get"));
        assert!(Method::differs_in_case_only(b"Propfind"));
        assert!(!Method::differs_in_case_only(b"GET"));
        assert!(!Method::differs_in_case_only(b"FETCH"));
    }
}
