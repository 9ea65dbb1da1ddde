//! Labels that owners give to what is theirs (dg/apigateway-tagging).

use super::Texts;
use super::error::Error;

/// Tags of one thing.
pub const TAGS_MAX: usize = 50;
/// Characters of a key.
pub const KEY_CHARACTERS_MAX: usize = 128;
/// Characters of a value.
pub const VALUE_CHARACTERS_MAX: usize = 256;

/// # Errors
/// There are too many, one is too long, or one has a name that AWS keeps for itself.
pub fn check(tags: &Texts) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::bad_request(format!("A resource can have at most {TAGS_MAX} tags")));
    }
    let is_wrong = |key: &&String| {
        key.is_empty() || key.chars().count() > KEY_CHARACTERS_MAX || key.to_ascii_lowercase().starts_with("aws:")
    };
    if let Some(key) = tags.keys().find(is_wrong) {
        return Err(Error::bad_request(format!("Invalid tag key specified: {key}")));
    }
    match tags.iter().find(|(_, value)| value.chars().count() > VALUE_CHARACTERS_MAX) {
        Some((key, _)) => Err(Error::bad_request(format!("Invalid tag value specified for key {key}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_aws_and_too_much_are_refused() {
        let tags = |key: &str, value: &str| Texts::from([(key.to_owned(), value.to_owned())]);
        let long = |length: usize| "x".repeat(length);
        let many: Texts = (0..=TAGS_MAX).map(|number| (number.to_string(), String::new())).collect();
        for wrong in [tags("", ""), tags("AWS:x", ""), tags(&long(129), ""), tags("a", &long(257)), many] {
            assert!(check(&wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(check(&tags(&long(128), &long(256))), Ok(()));
    }
}
