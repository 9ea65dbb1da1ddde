use std::sync::mpsc;
use std::sync::{Condvar, Mutex};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// An output that keeps what it got, can be told to fail, and can be held shut.
#[derive(Clone, Default)]
struct Paper(Arc<(Mutex<Sheet>, Condvar)>);

#[derive(Default)]
struct Sheet {
    bytes: Vec<u8>,
    writes: usize,
    is_shut: bool,
    failures_left: usize,
}

impl Paper {
    fn change(&self, change: impl FnOnce(&mut Sheet)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().bytes.clone()).unwrap()
    }

    /// Waits until the sheet is as wished.
    fn wait_until(&self, wish: impl Fn(&Sheet) -> bool) {
        let sheet = self.0.0.lock().unwrap();
        let (_sheet, timeout) = self.0.1.wait_timeout_while(sheet, PATIENCE, |sheet| !wish(sheet)).unwrap();
        assert!(!timeout.timed_out(), "the writer never did it");
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sheet = self.0.0.lock().unwrap();
        let mut sheet = self.0.1.wait_while(sheet, |sheet| sheet.is_shut).unwrap();
        sheet.writes += 1;
        let fails = sheet.failures_left > 0;
        if fails {
            sheet.failures_left -= 1;
        } else {
            sheet.bytes.extend_from_slice(bytes);
        }
        drop(sheet);
        self.0.1.notify_all();
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start(paper: &Paper, shards: usize, pages_max: usize) -> (AccessLog, Vec<LogSink>) {
    let paper = paper.clone();
    AccessLog::start_writing(move || Ok(Box::new(paper.clone())), shards, pages_max).unwrap()
}

fn say(sink: &mut LogSink, text: &str) {
    sink.line(|line| {
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
    });
}

fn say_at_once(sink: &mut LogSink, text: &str) {
    say(sink, text);
    sink.hand_over();
}

#[test]
fn lines_are_written_once_they_are_handed_over() {
    let paper = Paper::default();
    let (_log, mut sinks) = start(&paper, 1, 2);
    for turn in 0..3 {
        say_at_once(&mut sinks[0], "hello");
        paper.wait_until(|sheet| sheet.bytes.len() == 6 * (turn + 1));
    }
    assert_eq!(paper.text(), "hello\nhello\nhello\n");
}

#[test]
fn a_full_page_is_handed_over_by_itself() {
    let paper = Paper::default();
    let (_log, mut sinks) = start(&paper, 1, 2);
    for _ in 0..PAGE_BYTES / 8 {
        say(&mut sinks[0], "1234567");
    }
    paper.wait_until(|sheet| sheet.bytes.len() == PAGE_BYTES);
}

#[test]
fn a_shard_that_ends_hands_over_what_it_had() {
    let paper = Paper::default();
    let (log, mut sinks) = start(&paper, 1, 2);
    say(&mut sinks[0], "last words");
    drop(sinks);
    log.shutdown(PATIENCE).unwrap();
    assert_eq!(paper.text(), "last words\n");
}

#[test]
fn lines_of_a_batch_share_a_write_and_keep_their_order() {
    let paper = Paper::default();
    paper.change(|sheet| sheet.is_shut = true);
    let (log, mut sinks) = start(&paper, 2, 2);
    for number in 0..100 {
        say(&mut sinks[number % 2], &number.to_string());
    }
    paper.change(|sheet| sheet.is_shut = false);
    drop(sinks);
    log.shutdown(PATIENCE).unwrap();
    let text = paper.text();
    let numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    let of_shard = |shard| numbers.iter().copied().filter(|number| number % 2 == shard).collect::<Vec<_>>();
    for shard in 0..2 {
        assert!(of_shard(shard).is_sorted() && of_shard(shard).len() == 50, "{text}");
    }
    assert!(paper.0.0.lock().unwrap().writes <= 2);
}

#[test]
fn without_a_page_lines_are_dropped_and_counted_and_nobody_waits() {
    let paper = Paper::default();
    paper.change(|sheet| sheet.is_shut = true);
    let (log, mut sinks) = start(&paper, 1, 2);
    let lines = 3 * PAGE_BYTES as u64 / 8;
    for _ in 0..lines {
        say(&mut sinks[0], "1234567");
    }
    let counters = log.counters();
    assert_eq!((counters.lines, counters.dropped), (lines * 2 / 3, lines / 3));
    paper.change(|sheet| sheet.is_shut = false);
    paper.wait_until(|sheet| sheet.bytes.len() == 2 * PAGE_BYTES);
    log.shutdown(PATIENCE).unwrap();
    assert!(paper.text().lines().all(|line| line == "1234567"));
    let kept = sinks[0].0.take().map(|tap| tap.shared.free[0].len());
    assert_eq!(kept, Some(2), "both pages came back");
}

#[test]
fn a_line_longer_than_allowed_is_dropped_and_counted() {
    let paper = Paper::default();
    let (log, mut sinks) = start(&paper, 1, 2);
    say(&mut sinks[0], "before");
    sinks[0].line(|line| line.resize(7 + LINE_BYTES_MAX + 1, b'x'));
    sinks[0].line(|line| line.resize(7 + LINE_BYTES_MAX, b'y'));
    assert_eq!(log.counters(), LogCounters { lines: 2, dropped: 1, ..LogCounters::default() });
    drop(sinks);
    log.shutdown(PATIENCE).unwrap();
    assert_eq!(paper.text().len(), 7 + LINE_BYTES_MAX);
    assert!(!paper.text().contains('x'));
}

#[test]
fn a_failed_write_is_counted_and_the_next_line_begins_on_its_own() {
    let paper = Paper::default();
    paper.change(|sheet| sheet.failures_left = 1);
    let (log, mut sinks) = start(&paper, 1, 2);
    say_at_once(&mut sinks[0], "lost");
    paper.wait_until(|sheet| sheet.writes == 1);
    say_at_once(&mut sinks[0], "kept");
    paper.wait_until(|sheet| sheet.writes == 2);
    assert_eq!(paper.text(), "\nkept\n");
    assert_eq!(log.counters(), LogCounters { lines: 2, dropped: 0, write_errors: 1, lost: 1 });
}

#[test]
fn a_log_rotated_away_goes_on_in_a_new_file_after_reopening() {
    let folder = std::env::temp_dir().join(format!("ringgate-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (path, rotated) = (folder.join("access.log"), folder.join("access.log.1"));
    let (log, mut sinks) = AccessLog::start(&LogTarget::File(path.clone()), 1).unwrap();
    say_at_once(&mut sinks[0], "before");
    wait_for_text(&path, "before\n");
    std::fs::rename(&path, &rotated).unwrap();
    log.reopen();
    wait_for_text(&path, "");
    say_at_once(&mut sinks[0], "after");
    log.shutdown(PATIENCE).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "after\n");
    assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "before\n");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Files cannot be awaited, so this looks until it sees, with a deadline.
fn wait_for_text(path: &std::path::Path, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        assert!(Instant::now() < deadline, "{} never became {text:?}", path.display());
        thread::yield_now();
    }
}

#[test]
fn a_reopening_that_fails_keeps_the_old_output() {
    let paper = Paper::default();
    let mut opened = 0;
    let (asked, was_asked) = mpsc::channel();
    let open = {
        let paper = paper.clone();
        move || {
            opened += 1;
            asked.send(()).unwrap();
            if opened == 1 { Ok(Box::new(paper.clone()) as _) } else { Err(io::ErrorKind::PermissionDenied.into()) }
        }
    };
    let (log, mut sinks) = AccessLog::start_writing(open, 1, 2).unwrap();
    was_asked.recv_timeout(PATIENCE).unwrap();
    log.reopen();
    was_asked.recv_timeout(PATIENCE).unwrap();
    say_at_once(&mut sinks[0], "still here");
    paper.wait_until(|sheet| sheet.writes == 1);
    assert_eq!((paper.text().as_str(), log.counters().write_errors), ("still here\n", 1));
}

#[test]
fn a_file_that_cannot_be_opened_fails_at_startup() {
    let target = LogTarget::File("/nonexistent-folder/access.log".into());
    assert!(AccessLog::start(&target, 1).is_err());
}

#[test]
fn shutdown_gives_up_on_an_output_that_hangs() {
    let paper = Paper::default();
    paper.change(|sheet| sheet.is_shut = true);
    let (log, mut sinks) = start(&paper, 1, 2);
    say_at_once(&mut sinks[0], "stuck");
    assert_eq!(log.shutdown(Duration::from_millis(20)), Err(Unfinished));
    paper.change(|sheet| sheet.is_shut = false);
}

#[test]
fn a_log_that_is_off_formats_nothing() {
    let (log, mut sinks) = AccessLog::start(&LogTarget::Off, 2).unwrap();
    assert!(sinks.len() == 2 && !sinks[0].is_on());
    sinks[1].line(|_| panic!("nobody wants it"));
    assert_eq!(log.counters(), LogCounters::default());
    log.shutdown(Duration::ZERO).unwrap();
}
