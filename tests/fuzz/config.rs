//! The configuration file and the values in it: whatever the text, an answer or a refusal, never a panic.

// The two files stand alone so that this target is built without the runtime.
#[path = "../../src/config/file.rs"]
mod file;
#[path = "../../src/config/values.rs"]
mod values;

use values::{ByteSize, Cidr, HttpUrl, ListenAddress, Origin, OriginRewrite, StageVariable};

/// Reads `data` as a file, and each of its values as everything that a value can be.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(entries) = file::read(text) else { return };
    for entry in entries {
        assert!(entry.place.line > 0 && entry.place.column > 0, "a key lies somewhere: {entry:?}");
        for value in entry.values {
            read_as_everything(&value.text);
        }
    }
}

/// What is printed must be read back as the same value.
fn read_as_everything(text: &str) {
    again::<ByteSize>(text);
    again::<Cidr>(text);
    again::<HttpUrl>(text);
    again::<ListenAddress>(text);
    again::<Origin>(text);
    let _ = text.parse::<OriginRewrite>();
    let _ = text.parse::<StageVariable>();
    let _ = values::duration(text);
}

fn again<T>(text: &str)
where
    T: std::str::FromStr<Err = values::Invalid> + std::fmt::Display + std::fmt::Debug + PartialEq,
{
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string().parse().as_ref(), Ok(&value), "{text:?}");
    }
}
