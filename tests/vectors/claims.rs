//! The claims of the fuzz targets for mappings and codings, on seeded mutations of texts that are worth mutating.

use super::support::Numbers;

#[path = "../fuzz/coding.rs"]
mod coding;
#[path = "../fuzz/mapping.rs"]
mod mapping;

const MAPPINGS: [&str; 12] = [
    "method.request.body.a[0].b\n{\"a\": [{\"b\": \"x\\ny\"}]}",
    "method.request.body\n[1, 2",
    "method.request.querystring.q\nq=a%20b&q=c+%2&q=",
    "method.request.multivaluequerystring.q\nq=1&q=%0d%0a;q",
    "method.request.path.id\na%2Fb/../c d?#%",
    "integration.response.body['a'][?(@.b > 1)]\n{\"a\": [{\"b\": 2}]}",
    "integration.response.multivalueheader.X\n\u{fc}\r\n",
    "context.error.messageString\n\"quoted\"",
    "stageVariables.abc\n",
    "'it''s'\n{statusCode: 200,,}",
    "http://${stageVariables.h}:80/{x}?a={x}#f\nvalue",
    "$context.identity.sourceIp$method.request.path.id$stageVariables.x\n$",
];

/// `count` texts, each one of `seeds` with a few bytes replaced, removed, repeated or taken from another.
fn mutations(seeds: &[&[u8]], count: usize, mut check: impl FnMut(&[u8])) {
    let mut numbers = Numbers::new(0x05ee_d0ff);
    for _ in 0..count {
        let mut text = seeds[numbers.below(seeds.len())].to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(text.len().max(1)).min(text.len());
            let other = seeds[numbers.below(seeds.len())];
            match numbers.below(4) {
                0 => text.insert(at, numbers.below(256) as u8),
                1 => text.truncate(at),
                2 => text.extend_from_slice(&other[numbers.below(other.len())..]),
                _ => {
                    if let Some(byte) = text.get_mut(at) {
                        *byte ^= 1 << numbers.below(8);
                    }
                }
            }
        }
        check(&text);
    }
}

#[test]
fn no_mutation_of_a_mapping_breaks_a_claim() {
    mutations(&MAPPINGS.map(str::as_bytes), 20_000, mapping::target);
}

#[test]
fn no_mutation_of_encoded_content_breaks_a_claim() {
    use ringgate_core::proto::http::coding::{Coding, Encoder, Flush};
    let texts: [&[u8]; 3] = [b"", b"hello hello hello", &[b'a'; 200_000]];
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for coding in [Coding::Gzip, Coding::Deflate] {
        for text in texts {
            let mut out = Vec::new();
            Encoder::new(coding).encode(text, Flush::End, &mut out);
            seeds.push(out);
        }
    }
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    mutations(&seeds, 500, coding::target);
}
