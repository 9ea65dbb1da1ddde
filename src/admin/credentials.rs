//! Who may call the management API: an INI file like the SDKs' credentials file
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>), in which each profile may name its account.

use std::collections::BTreeMap;
use std::fmt;

/// Largest file in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;

/// The holder of an access key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Holder {
    /// What it signs with.
    pub secret: String,
    /// What its calls must carry besides, if anything.
    pub token: Option<String>,
    /// The account it acts in; the gateway's when `None`.
    pub account: Option<String>,
}

/// A secret is never shown.
impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder").field("account", &self.account).finish_non_exhaustive()
    }
}

/// A profile while it is read.
#[derive(Default)]
struct Profile<'t> {
    name: &'t str,
    line: usize,
    access_key: Option<&'t str>,
    secret: Option<&'t str>,
    token: Option<&'t str>,
    account: Option<&'t str>,
}

/// Reads the file: holders by access key.
///
/// # Errors
/// What is wrong with the first line that is, and its number. Never a secret.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, Holder>, String> {
    let mut holders = BTreeMap::new();
    let mut profile: Option<Profile<'_>> = None;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        let number = index + 1;
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            close(profile.take(), &mut holders)?;
            profile = Some(Profile { name: name.trim(), line: number, ..Profile::default() });
            continue;
        }
        let (key, value) =
            line.split_once('=').ok_or_else(|| format!("line {number}: expected [profile] or key = value"))?;
        let profile = profile.as_mut().ok_or_else(|| format!("line {number}: expected [profile] first"))?;
        profile.set(key.trim(), value.trim()).map_err(|why| format!("line {number}: {why}"))?;
    }
    close(profile, &mut holders)?;
    if holders.is_empty() { Err("there is no profile in it, so nobody could call".to_owned()) } else { Ok(holders) }
}

impl<'t> Profile<'t> {
    fn set(&mut self, key: &str, value: &'t str) -> Result<(), String> {
        let slot = match key {
            "aws_access_key_id" => &mut self.access_key,
            "aws_secret_access_key" => &mut self.secret,
            "aws_session_token" => &mut self.token,
            "account" | "aws_account_id" if is_account(value) => &mut self.account,
            "account" | "aws_account_id" => return Err(format!("{key}: expected twelve digits")),
            // A misspelt account must not put its team into another one.
            _ => return Err(format!("`{key}` means nothing here")),
        };
        if value.is_empty() {
            return Err(format!("{key} is empty"));
        }
        if slot.replace(value).is_some() { Err(format!("{key} is given twice")) } else { Ok(()) }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn close(profile: Option<Profile<'_>>, holders: &mut BTreeMap<String, Holder>) -> Result<(), String> {
    let Some(Profile { name, line, access_key, secret, token, account }) = profile else { return Ok(()) };
    let lacks = |what: &str| format!("line {line}: [{name}] has no {what}");
    let access_key = access_key.ok_or_else(|| lacks("aws_access_key_id"))?;
    let secret = secret.ok_or_else(|| lacks("aws_secret_access_key"))?.to_owned();
    let holder = Holder { secret, token: token.map(str::to_owned), account: account.map(str::to_owned) };
    if holders.insert(access_key.to_owned(), holder).is_some() {
        return Err(format!("line {line}: [{name}] has an access key that another profile has"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_profile_holds_a_key_and_may_name_its_account() {
        let text = "# teams\n[default]\naws_access_key_id = A\naws_secret_access_key=s=1/+\n\n[ team two ]\n\
                    account = 111122223333\naws_secret_access_key = t\naws_access_key_id = B\naws_session_token = u\n";
        let holders = read(text).expect("well formed");
        let holder = |secret: &str, token: Option<&str>, account: Option<&str>| Holder {
            secret: secret.to_owned(),
            token: token.map(str::to_owned),
            account: account.map(str::to_owned),
        };
        assert_eq!(holders["A"], holder("s=1/+", None, None));
        assert_eq!(holders["B"], holder("t", Some("u"), Some("111122223333")));
        assert!(!format!("{holders:?}").contains("s=1"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_a_secret() {
        let key = "aws_access_key_id = A\n";
        let secret = "aws_secret_access_key = hidden\n";
        for (text, said) in [
            (String::new(), "there is no profile in it, so nobody could call"),
            (key.to_owned(), "line 1: expected [profile] first"),
            ("[a]\nhidden\n".to_owned(), "line 2: expected [profile] or key = value"),
            (format!("[a]\n{key}"), "line 1: [a] has no aws_secret_access_key"),
            (format!("[a]\n{secret}[b]\n"), "line 1: [a] has no aws_access_key_id"),
            (format!("[a]\n{key}{secret}acount = 111122223333\n"), "line 4: `acount` means nothing here"),
            (format!("[a]\naccount = 1\n{key}{secret}"), "line 2: account: expected twelve digits"),
            (format!("[a]\n{key}{key}"), "line 3: aws_access_key_id is given twice"),
            ("[a]\naws_session_token =\n".to_owned(), "line 2: aws_session_token is empty"),
            (
                format!("[a]\n{key}{secret}\n[b]\n{key}{secret}"),
                "line 5: [b] has an access key that another profile has",
            ),
        ] {
            assert_eq!(read(&text).expect_err(said), said);
        }
    }
}
