//! Reading a definition file: what it says, and everything there is to say about it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ringgate_core::base::limits::{DEFINITION_BYTES_MAX, DEFINITION_BYTES_RELAXED_MAX};
use ringgate_core::base::{Diagnostic, Place, Severity};
use ringgate_core::import::{self, ApiKind, Imported, Options};
use ringgate_core::model::rest::RestApi;
use ringgate_core::plan::Limits;

use crate::config::settings::{ApiKind as KindSetting, LimitSet};

/// Names looked for where no file is named.
const NAMES: [&str; 4] = ["openapi", "swagger", "api", "template"];
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// A definition that was read.
pub struct Definition {
    /// The API, unless the document was refused.
    pub api: Option<RestApi>,
    /// Findings of import and lint, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// What `--limits` says of requests.
pub(super) const fn limits(set: LimitSet) -> Limits {
    match set {
        LimitSet::Aws => Limits::AWS,
        LimitSet::Relaxed => Limits::RELAXED,
    }
}

/// How a document is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Which kind of API it is where it does not say.
    pub kind: Option<KindSetting>,
    /// Which limits apply.
    pub limits: LimitSet,
    /// Account of ARNs.
    pub account: String,
    /// Region of ARNs.
    pub region: String,
}

impl Reading {
    fn options(&self) -> Options {
        Options {
            kind: match self.kind {
                None => ApiKind::Undecided,
                Some(KindSetting::Rest) => ApiKind::Rest,
                Some(KindSetting::Http) => ApiKind::Http,
            },
            relaxed_limits: self.limits == LimitSet::Relaxed,
            account: self.account.clone(),
            region: self.region.clone(),
            ..Options::default()
        }
    }

    /// Reads the text of a document.
    pub fn read(&self, text: &str) -> Definition {
        let Imported { api, mut diagnostics, .. } = import::import(text, &self.options());
        if let Some(api) = &api {
            diagnostics.extend(import::lint(api));
        }
        Definition { api, diagnostics }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::FileTooLarge`] for what no definition may be.
    pub fn read_file(&self, path: &Path) -> io::Result<(String, Definition)> {
        let text = self.read_text(path)?;
        let definition = self.read(&text);
        Ok((text, definition))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// As for [`Reading::read_file`].
    pub fn read_text(&self, path: &Path) -> io::Result<String> {
        read_text(path, self.bytes_max())
    }

    fn bytes_max(&self) -> u64 {
        match self.limits {
            LimitSet::Aws => DEFINITION_BYTES_MAX as u64,
            LimitSet::Relaxed => DEFINITION_BYTES_RELAXED_MAX as u64,
        }
    }
}

/// Reads no more than a definition may have, whatever the file says of its length: devices and pipes say nothing.
fn read_text(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let message = format!(
            "the file has more than {bytes_max} bytes, the most for a definition; --limits relaxed raises that"
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let message = format!("the file is not UTF-8 text: byte {} does not fit", error.utf8_error().valid_up_to());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

/// The definition in `folder`, if there is one under a usual name.
pub fn find_in(folder: &Path) -> Option<PathBuf> {
    let candidates =
        NAMES.iter().flat_map(|name| EXTENSIONS.iter().map(move |extension| format!("{name}.{extension}")));
    candidates.map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Findings from the file first, in its order, then those without a place.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|finding| (finding.place == Place::NOWHERE, finding.place));
}

/// How many findings are errors and warnings.
pub fn count(diagnostics: &[Diagnostic]) -> (usize, usize) {
    let count = |severity| diagnostics.iter().filter(|finding| finding.severity == severity).count();
    (count(Severity::Error), count(Severity::Warning))
}
