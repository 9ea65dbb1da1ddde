//! Choosing by media type: request templates by `Content-Type`, response templates by `Accept`.

/// Values by media type, in the order of the definition.
#[derive(Clone, Debug)]
pub struct ByMediaType<T>(Box<[Entry<T>]>);

#[derive(Clone, Debug)]
struct Entry<T> {
    /// As the definition writes it.
    media_type: Box<str>,
    /// How much of it comes before parameters, which do not count.
    essence_length: usize,
    value: T,
}

impl<T> Entry<T> {
    fn new((media_type, value): (String, T)) -> Self {
        let essence_length = media_type.find(';').map_or(media_type.len(), |end| media_type[..end].trim_end().len());
        Self { media_type: media_type.into(), essence_length, value }
    }

    fn is(&self, wanted: &[u8]) -> bool {
        self.media_type.as_bytes()[..self.essence_length].eq_ignore_ascii_case(wanted)
    }

    fn pair(&self) -> (&str, &T) {
        (&self.media_type, &self.value)
    }
}

impl<T> Default for ByMediaType<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

/// The media type of a `Content-Type` or of the first entry of an `Accept` header, without parameters.
pub fn essence(header: &[u8]) -> &[u8] {
    let end = header.iter().position(|byte| matches!(byte, b';' | b',')).unwrap_or(header.len());
    header[..end].trim_ascii()
}

/// What a request without `Content-Type` is taken to be (rest-integrations §3).
const DEFAULT: &[u8] = b"application/json";

impl<T> ByMediaType<T> {
    /// Keeps the entries in their order.
    pub fn new(entries: impl IntoIterator<Item = (String, T)>) -> Self {
        Self(entries.into_iter().map(Entry::new).collect())
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(Entry::pair)
    }

    /// The entry for a request of this `Content-Type`: the exact type (parameters do not count), else `$default`.
    pub fn for_content_type(&self, content_type: Option<&[u8]>) -> Option<&T> {
        let wanted = content_type.map_or(DEFAULT, essence);
        self.named(wanted).or_else(|| self.named(b"$default")).map(|entry| &entry.value)
    }

    /// The entry for a client that accepts this: its first type, else `application/json`, else the first there is;
    /// with the media type it is listed under.
    pub fn for_accept(&self, accept: Option<&[u8]>) -> Option<(&str, &T)> {
        let wanted = accept.map_or(DEFAULT, essence);
        self.named(wanted).or_else(|| self.named(DEFAULT)).or_else(|| self.0.first()).map(Entry::pair)
    }

    fn named(&self, wanted: &[u8]) -> Option<&Entry<T>> {
        self.0.iter().find(|entry| entry.is(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ByMediaType<u8> {
        ByMediaType::new([("text/xml".to_owned(), 1), ("application/json".to_owned(), 2)])
    }

    #[test]
    fn a_request_without_content_type_is_json() {
        assert_eq!(table().for_content_type(None), Some(&2));
    }

    #[test]
    fn parameters_of_a_content_type_do_not_count() {
        assert_eq!(table().for_content_type(Some(b"text/xml; charset=utf-8")), Some(&1));
        assert_eq!(table().for_content_type(Some(b"text/plain")), None);
        let page = ByMediaType::new([("Text/html ; charset=UTF-8".to_owned(), 1), ("application/json".to_owned(), 2)]);
        assert_eq!(page.for_content_type(Some(b"text/html")), Some(&1));
        assert_eq!(page.for_accept(Some(b"text/html;q=0.9,*/*")), Some(("Text/html ; charset=UTF-8", &1)));
    }

    #[test]
    fn a_response_falls_back_to_json_and_then_to_the_first() {
        assert_eq!(table().for_accept(Some(b"text/xml,*/*")), Some(("text/xml", &1)));
        assert_eq!(table().for_accept(Some(b"*/*")), Some(("application/json", &2)));
        assert_eq!(ByMediaType::new([("text/html".to_owned(), 3)]).for_accept(None), Some(("text/html", &3)));
    }
}
