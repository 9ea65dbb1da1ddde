//! Amazon Resource Names, and the ones that integrations are made of.
//!
//! Format: `arn:partition:service:region:account:resource`
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>). They borrow the text they came from.

use std::fmt;

/// An Amazon Resource Name in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: &'a str,
    /// `lambda`, `execute-api`.
    pub service: &'a str,
    /// Empty for services without regions.
    pub region: &'a str,
    /// Twelve digits, or empty, or `aws`; in an integration ARN the service that is called, with its subdomain.
    pub account: &'a str,
    /// The rest, colons and slashes included. Not empty.
    pub resource: &'a str,
}

/// Why a text is no ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArnError {
    /// It does not begin with `arn:`.
    Prefix,
    /// Fewer than six parts, or no partition, service or resource.
    Parts,
    /// An integration ARN without `path/…` or `action/…`.
    PathOrAction,
}

/// AWS's words where an integration is put.
impl fmt::Display for ArnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix | Self::Parts => "Invalid ARN specified in the request",
            Self::PathOrAction => "AWS ARN for integration must contain path or action",
        })
    }
}

impl std::error::Error for ArnError {}

impl<'a> Arn<'a> {
    /// Splits an ARN.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let rest = text.strip_prefix("arn:").ok_or(ArnError::Prefix)?;
        let mut parts = rest.splitn(5, ':');
        let mut part = || parts.next().ok_or(ArnError::Parts);
        let arn = Self { partition: part()?, service: part()?, region: part()?, account: part()?, resource: part()? };
        if arn.partition.is_empty() || arn.service.is_empty() || arn.resource.is_empty() {
            return Err(ArnError::Parts);
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

/// What the URI of an AWS integration calls: `arn:aws:apigateway:{region}:{subdomain.service}:{path|action}/{…}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegrationArn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: &'a str,
    /// Region of the service.
    pub region: &'a str,
    /// `lambda`, `sqs`, `s3`.
    pub service: &'a str,
    /// What stands before the service and a dot: a bucket, a host label.
    pub subdomain: Option<&'a str>,
    /// What is called.
    pub call: Call<'a>,
}

/// The last part of an integration ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// `path/…`: a request path, without its leading slash.
    Path(&'a str),
    /// `action/…`: the name of an action of the service, query parameters included.
    Action(&'a str),
}

impl<'a> IntegrationArn<'a> {
    /// Reads the URI of an AWS integration.
    pub fn parse(text: &'a str) -> Result<Self, ArnError> {
        let Arn { partition, service, region, account, resource } = Arn::parse(text)?;
        if service != "apigateway" || account.is_empty() {
            return Err(ArnError::Parts);
        }
        let (subdomain, service) = match account.rsplit_once('.') {
            Some((subdomain, service)) => (Some(subdomain), service),
            None => (None, account),
        };
        Ok(Self { partition, region, service, subdomain, call: parse_call(resource)? })
    }

    /// The ARN of the function, qualifier included, if it is one that is invoked:
    /// `lambda:path/2015-03-31/functions/{function}/invocations`. AWS takes `path//2015-03-31` as well.
    pub fn function(&self) -> Option<&'a str> {
        match self.call {
            Call::Path(path) if self.service == "lambda" => path
                .trim_start_matches('/')
                .strip_prefix("2015-03-31/functions/")?
                .strip_suffix("/invocations")
                .filter(|function| !function.is_empty()),
            Call::Path(_) | Call::Action(_) => None,
        }
    }
}

fn parse_call(resource: &str) -> Result<Call<'_>, ArnError> {
    let call = match resource.split_once('/') {
        Some(("path", path)) => Call::Path(path),
        Some(("action", action)) if !action.is_empty() => Call::Action(action),
        _ => return Err(ArnError::PathOrAction),
    };
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_prints_as_it_was_read() {
        for text in ["arn:aws:s3:::bucket/key", "arn:aws-cn:lambda:cn-north-1:123456789012:function:f:alias"] {
            assert_eq!(Arn::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused_with_the_words_of_aws() {
        for text in ["", "http://x", "arn:", "arn:aws:lambda", "arn:aws:lambda:eu:1:", "arn::lambda:eu:1:f"] {
            let error = Arn::parse(text).expect_err(text);
            assert_eq!(error.to_string(), "Invalid ARN specified in the request");
        }
        let error =
            IntegrationArn::parse("arn:aws:apigateway:eu-west-1:lambda:foo/bar").expect_err("no path or action");
        assert_eq!(error.to_string(), "AWS ARN for integration must contain path or action");
    }

    #[test]
    fn the_function_of_an_invocation_is_recognised() {
        let function = "arn:aws:lambda:us-east-1:123456789012:function:pets:live";
        for path in ["path/", "path//"] {
            let uri = format!("arn:aws:apigateway:us-east-1:lambda:{path}2015-03-31/functions/{function}/invocations");
            let arn = IntegrationArn::parse(&uri).expect("an integration ARN");
            assert_eq!((arn.function(), arn.region), (Some(function), "us-east-1"));
        }
    }

    #[test]
    fn other_services_have_subdomains_and_actions() {
        let arn = IntegrationArn::parse("arn:aws:apigateway:eu-west-1:my.bucket.s3:path/a/b").expect("an ARN");
        assert_eq!((arn.subdomain, arn.service, arn.call), (Some("my.bucket"), "s3", Call::Path("a/b")));
        let arn = IntegrationArn::parse("arn:aws:apigateway:eu-west-1:sns:action/Publish").expect("an ARN");
        assert_eq!((arn.subdomain, arn.service, arn.call), (None, "sns", Call::Action("Publish")));
        assert_eq!(arn.function(), None);
    }
}
