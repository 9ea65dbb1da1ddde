//! Records come out as they went in.

use super::summary::Id;
use super::*;

fn summary() -> Summary {
    Summary {
        request_id: Id([b'a'; 36]),
        extended_request_id: Id([b'b'; 16]),
        sequence: 1,
        wall_millis: u64::MAX,
        version: 3,
        ended_nanos: 4,
        called_nanos: 9,
        connected_nanos: 5,
        answered_nanos: 6,
        request_length: 7,
        response_length: 8,
        status: 504,
        integration_status: 999,
        offset: 12,
        attempts: 2,
        addresses: [3, 1],
        step: Step::MapResponse,
        ended: Ended::TooLarge,
        is_reused: true,
        is_tls: true,
        is_canary: true,
        base_path_end: 11,
        has_invalid_request_id: true,
    }
}

#[test]
fn a_summary_comes_back_as_it_was() {
    assert_eq!(Summary::from_bytes(&summary().to_bytes()), summary());
    for step in Step::ALL {
        let with = Summary { step, is_reused: false, ..summary() };
        assert_eq!(Summary::from_bytes(&with.to_bytes()), with);
    }
}

#[test]
fn chunks_come_back_in_their_order_and_cut_to_their_bound() {
    let mut trail = Trail::default();
    trail.note(Tag::Reason, b"why");
    let long = vec![b'x'; BODY_BYTES_MAX + 1];
    let described = describe([(Tag::ApiId, "abc"), (Tag::Mapping, "a=b")]);
    let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
    let mut entry = Entry::new(summary());
    entry.add_encoded(&described);
    entry.add(Tag::RequestBody, &long);
    entry.add(Tag::CallBody, b"");
    entry.add_encoded(trail.chunks());
    decisions.push(entry);
    let found = decisions.find(Wanted::Last(1));
    let (read_summary, chunks) = read(&found[0]).expect("a record");
    assert_eq!(read_summary, summary());
    let chunk = |tag, bytes| Chunk { tag, is_cut: false, bytes };
    let expected = [
        chunk(Tag::ApiId, &b"abc"[..]),
        chunk(Tag::Mapping, b"a=b"),
        Chunk { tag: Tag::RequestBody, is_cut: true, bytes: &long[..BODY_BYTES_MAX] },
        chunk(Tag::Reason, b"why"),
    ];
    assert_eq!(chunks.collect::<Vec<_>>(), expected);
}

#[test]
fn exchanges_that_interleave_note_in_trails_of_their_own() {
    let (mut one, mut other) = (Trail::default(), Trail::default());
    one.reach(Step::Call);
    other.reach(Step::Route);
    one.note(Tag::Reason, b"one");
    other.note(Tag::Reason, b"other");
    one.note(Tag::Validation, b"more");
    let mut decisions = Decisions::new(MEMORY_BYTES_MIN);
    for (trail, id) in [(&other, 1), (&one, 2)] {
        let summary = Summary { request_id: Id([id; 36]), step: trail.step(), ..Summary::default() };
        let mut entry = Entry::new(summary);
        entry.add_encoded(trail.chunks());
        decisions.push(entry);
    }
    let texts = |id: u8| {
        let found = decisions.find(Wanted::Id([id; 36]));
        let (summary, chunks) = read(&found[0]).expect("a record");
        (summary.step, chunks.map(|chunk| String::from_utf8_lossy(chunk.bytes).into_owned()).collect::<Vec<_>>())
    };
    assert_eq!(texts(1), (Step::Route, vec!["other".to_owned()]));
    assert_eq!(texts(2), (Step::Call, vec!["one".to_owned(), "more".to_owned()]));
}

#[test]
fn a_trail_is_bounded_and_forgets() {
    let mut trail = Trail::default();
    for _ in 0..100 {
        trail.note(Tag::AnswerHead, &vec![0; HEAD_BYTES_MAX]);
    }
    assert!(trail.chunks().len() <= TRAIL_BYTES_MAX);
    trail.clear();
    assert_eq!((trail.step(), trail.chunks()), (Step::Find, &b""[..]));
}

#[test]
fn bytes_that_are_no_record_are_read_without_harm() {
    assert!(read(b"").is_none());
    let mut bytes = summary().to_bytes().to_vec();
    for rubbish in [&b"\xff\0\0\0"[..], b"\0", b"\0\0\xff\xffabc"] {
        bytes.truncate(SUMMARY_BYTES);
        bytes.extend_from_slice(rubbish);
        assert_eq!(read(&bytes).expect("a summary").1.count(), 0, "{rubbish:?}");
    }
}
