//! Whole bodies: gathered where something has to see all of a body, decoded, and converted between bytes and base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::mapping::body::read_document;
use crate::plan::StagePlan;
use crate::plan::content::{Class, Conversion, Handling};
use crate::proto::http::KnownField;
use crate::proto::http::coding::{self, DecodeFailure, Encoded};

use super::effects::Effects;
use super::{BodyShape, Exchange, Rejection, Scratch, Step};

/// As Java's decoder reads it: padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What the request's body goes through, whose class the `Content-Type` tells.
///
/// # Errors
/// It would still be binary when a template is to be applied (rest-integrations §4).
pub(super) fn of_request(
    x: &Exchange<'_>,
    stage: &StagePlan,
    handling: Option<Handling>,
    has_template: bool,
) -> Result<Conversion, Rejection> {
    let Some(handling) = handling else { return Ok(Conversion::None) };
    let class = stage.binary_media_types.class(x.content_type());
    let conversion = Conversion::of_request(class, handling);
    check_template(conversion.makes(class), has_template)?;
    Ok(conversion)
}

/// What an answer's body goes through on its way to the client. `content_type` is the back end's.
///
/// # Errors
/// It would still be binary when a template is to be applied.
pub(super) fn of_response(
    x: &Exchange<'_>,
    stage: &StagePlan,
    handling: Option<Handling>,
    content_type: Option<&[u8]>,
    has_template: bool,
) -> Result<Conversion, Rejection> {
    let Some(handling) = handling else { return Ok(Conversion::None) };
    let class = stage.binary_media_types.class(content_type);
    let accepts = stage.binary_media_types.class(x.request.field(KnownField::Accept));
    let conversion = Conversion::of_response(class, accepts, handling);
    check_template(conversion.makes(class), has_template)?;
    Ok(conversion)
}

fn check_template(class: Class, has_template: bool) -> Step {
    if has_template && class == Class::Binary {
        return Err(Rejection::configuration(
            "a template cannot be applied to a binary body: contentHandling CONVERT_TO_TEXT makes it text",
        ));
    }
    Ok(())
}

/// Whether the request's body comes in a coding that the stage undoes.
pub(super) fn is_encoded(x: &Exchange<'_>, stage: &StagePlan) -> bool {
    stage.minimum_compression_size.is_some() && x.request.field(KnownField::ContentEncoding).is_some()
}

/// Gathers the client's body into `scratch.request_body`, in plain form and converted.
pub(super) async fn gather_request<E: Effects>(
    x: &mut Exchange<'_>,
    stage: &StagePlan,
    conversion: Conversion,
    effects: &mut E,
) -> Step {
    receive_request(x, stage, effects).await?;
    convert(conversion, &mut x.scratch.request_body, &mut x.scratch.value)
}

/// Reads the client's body into `scratch.request_body`, in plain form, unless it is there already.
pub(super) async fn receive_request<E: Effects>(x: &mut Exchange<'_>, stage: &StagePlan, effects: &mut E) -> Step {
    if x.has_request_body {
        return Ok(());
    }
    x.has_request_body = true;
    x.scratch.request_body.clear();
    if x.request.body == BodyShape::Empty {
        return Ok(());
    }
    effects.read_body(&mut x.scratch.request_body).await?;
    if is_encoded(x, stage) { decode_request(x) } else { Ok(()) }
}

/// Parses the gathered body for the mappings that read it. One that is JSON only at first sight answers 400
/// (rest-integrations §2).
pub(super) fn read_request(x: &mut Exchange<'_>) -> Step {
    let Scratch { request_body, document, .. } = &mut *x.scratch;
    read_document(request_body, document).map_err(|why| Rejection::invalid_json(&why))
}

/// The same for an answer: 500.
pub(super) fn read_answer(x: &mut Exchange<'_>) -> Step {
    let Scratch { answer_body, document, .. } = &mut *x.scratch;
    read_document(answer_body, document).map_err(|why| Rejection::invalid_json_answer(&why))
}

/// rest-routing-and-stages §11: what is not supported or corrupt answers 415.
fn decode_request(x: &mut Exchange<'_>) -> Step {
    let encoded = x.request.field(KnownField::ContentEncoding).map_or(Encoded::Plain, Encoded::parse);
    let coding = match encoded {
        Encoded::Plain => return Ok(()),
        Encoded::In(coding) if x.request.fields(KnownField::ContentEncoding).count() == 1 => coding,
        Encoded::In(_) | Encoded::Unknown => return Err(Rejection::unsupported_media_type()),
    };
    let bytes_max = usize::try_from(x.snapshot.limits.request_body_bytes_max).unwrap_or(usize::MAX - 1);
    x.scratch.value.clear();
    coding::decode(coding, &x.scratch.request_body, bytes_max, &mut x.scratch.value).map_err(
        |failure| match failure {
            DecodeFailure::Corrupt => Rejection::unsupported_media_type(),
            DecodeFailure::TooLarge => Rejection::request_too_large(),
        },
    )?;
    std::mem::swap(&mut x.scratch.request_body, &mut x.scratch.value);
    Ok(())
}

/// Gathers the answer into `scratch.answer_body`, converted.
pub(super) async fn gather_answer<E: Effects>(x: &mut Exchange<'_>, conversion: Conversion, effects: &mut E) -> Step {
    x.has_answer_body = true;
    x.scratch.answer_body.clear();
    effects.read_answer(&mut x.scratch.answer_body).await?;
    convert(conversion, &mut x.scratch.answer_body, &mut x.scratch.value)
}

/// Converts `body`, with `room` to do it in.
fn convert(conversion: Conversion, body: &mut Vec<u8>, room: &mut Vec<u8>) -> Step {
    room.clear();
    let is_sound = match conversion {
        Conversion::None => return Ok(()),
        Conversion::Encode => {
            room.resize(base64::encoded_len(body.len(), true).unwrap_or_default(), 0);
            BASE64.encode_slice(&*body, room).is_ok()
        }
        Conversion::Decode => BASE64.decode_vec(&*body, room).is_ok(),
    };
    std::mem::swap(body, room);
    if is_sound { Ok(()) } else { Err(Rejection::configuration("a body to be converted to binary is not base64")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_both_ways_and_padding_may_be_left_out() {
        let cases: [(_, &[u8], Option<&[u8]>); 7] = [
            (Conversion::None, b"\xff", Some(b"\xff")),
            (Conversion::Encode, b"\xff\xfe", Some(b"//4=")),
            (Conversion::Encode, b"", Some(b"")),
            (Conversion::Decode, b"//4=", Some(b"\xff\xfe")),
            (Conversion::Decode, b"//4", Some(b"\xff\xfe")),
            (Conversion::Decode, b"", Some(b"")),
            (Conversion::Decode, b"{\"a\": 1}", None),
        ];
        for (conversion, before, after) in cases {
            let mut body = before.to_vec();
            let converted = convert(conversion, &mut body, &mut b"left over".to_vec());
            assert_eq!(converted.is_ok().then_some(&*body), after, "{before:?}");
        }
    }
}
