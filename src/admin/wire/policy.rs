//! Resource policies of APIs: how they are kept and how they are told
//! (dg/apigateway-resource-policies-create-attach).

use serde_json::Value;

use super::error::Error;

/// Characters of a resource policy.
pub const CHARACTERS_MAX: usize = 8_192;

/// What a policy is about: the part of an ARN that its resources may leave out.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// Region of the API.
    pub region: &'s str,
    /// Account that has it.
    pub account: &'s str,
    /// The API.
    pub api: &'s str,
}

/// A policy as it is kept: without spaces, and with `execute-api:/…` written out as an ARN.
///
/// # Errors
/// It is no JSON object.
pub fn settled(policy: &str, subject: Subject<'_>) -> Result<String, Error> {
    let wrong = || {
        Error::bad_request(
            "Invalid policy document. Please check the policy syntax and ensure that Principals are valid.",
        )
    };
    let mut document: Value = serde_json::from_str(policy).map_err(|_| wrong())?;
    let statements = document.as_object_mut().ok_or_else(wrong)?.get_mut("Statement");
    for statement in one_or_more(statements) {
        for member in ["Resource", "NotResource"] {
            for resource in one_or_more(statement.get_mut(member)) {
                if let Some(path) = resource.as_str().and_then(|text| text.strip_prefix("execute-api:/")) {
                    let Subject { region, account, api } = subject;
                    *resource = format!("arn:aws:execute-api:{region}:{account}:{api}/{path}").into();
                }
            }
        }
    }
    Ok(document.to_string())
}

/// IAM writes a list of one without the list.
fn one_or_more(value: Option<&mut Value>) -> &mut [Value] {
    match value {
        None => &mut [],
        Some(Value::Array(values)) => values,
        Some(one) => std::slice::from_mut(one),
    }
}

/// A policy as it is told: the inside of a JSON text, quotes and all.
pub fn told(policy: &str) -> String {
    let quoted = Value::from(policy).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'_> = Subject { region: "eu-west-1", account: "000000000000", api: "abc" };

    #[test]
    fn resources_are_written_out() {
        let cases = [
            (
                r#"{"Statement": {"Resource": "execute-api:/*", "Effect": "Allow"}}"#,
                r#"{"Statement":{"Resource":"arn:aws:execute-api:eu-west-1:000000000000:abc/*","Effect":"Allow"}}"#,
            ),
            (
                r#"{"Statement": [{"NotResource": ["execute-api:/s/GET/", "*"]}, 1]}"#,
                r#"{"Statement":[{"NotResource":["arn:aws:execute-api:eu-west-1:000000000000:abc/s/GET/","*"]},1]}"#,
            ),
            (r#"{"Version": "2012-10-17"}"#, r#"{"Version":"2012-10-17"}"#),
        ];
        for (written, kept) in cases {
            assert_eq!(settled(written, SUBJECT).as_deref(), Ok(kept));
            assert_eq!(settled(kept, SUBJECT).as_deref(), Ok(kept));
        }
        for wrong in ["", "x", "[]", "\"execute-api:/*\""] {
            assert!(settled(wrong, SUBJECT).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_policy_is_told_as_the_inside_of_a_text() {
        assert_eq!(told(r#"{"a":"b\\c"}"#), r#"{\"a\":\"b\\\\c\"}"#);
    }
}
