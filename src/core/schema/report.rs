//! What becomes of what a walk finds.

use crate::base::hash::java_hash;

use super::MESSAGES_MAX;
use super::message::Message;

/// Why a walk ends before its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A fault was found, and one is enough.
    Invalid,
    TooMuchWork,
}

pub(super) type Walk = Result<(), Stop>;

pub(super) trait Report {
    /// Whether all faults are wanted.
    const WANTS_ALL: bool;

    fn fault(&mut self, message: impl FnOnce() -> Message) -> Walk;

    /// Takes what is no fault, and is told beside faults.
    fn remark(&mut self, message: impl FnOnce() -> Message);

    fn has_faults(&self) -> bool;
}

/// Ends at the first fault.
pub(super) struct First;

impl Report for First {
    const WANTS_ALL: bool = false;

    fn fault(&mut self, _: impl FnOnce() -> Message) -> Walk {
        Err(Stop::Invalid)
    }

    fn remark(&mut self, _: impl FnOnce() -> Message) {}

    fn has_faults(&self) -> bool {
        false
    }
}

/// Keeps what was wrong.
#[derive(Default)]
pub(super) struct All {
    messages: Vec<Message>,
    faults: usize,
}

impl All {
    /// Each message once, and in the order of a set of Java's: the one in which API Gateway was seen to give them. None if
    /// there is no fault.
    pub(super) fn messages(self) -> Vec<Message> {
        let mut distinct: Vec<Message> = Vec::new();
        for message in self.messages {
            if self.faults > 0 && !distinct.contains(&message) {
                distinct.push(message);
            }
        }
        let places = java_table_size(distinct.len());
        distinct.sort_by_key(|message| java_place(message, places));
        distinct
    }
}

impl Report for All {
    const WANTS_ALL: bool = true;

    fn fault(&mut self, message: impl FnOnce() -> Message) -> Walk {
        self.messages.push(message());
        self.faults += 1;
        if self.faults < MESSAGES_MAX { Ok(()) } else { Err(Stop::Invalid) }
    }

    fn remark(&mut self, message: impl FnOnce() -> Message) {
        if self.messages.len() < MESSAGES_MAX {
            self.messages.push(message());
        }
    }

    fn has_faults(&self) -> bool {
        self.faults > 0
    }
}

/// Places of Java's `HashSet` when it holds that many elements: it doubles where three quarters are taken.
fn java_table_size(elements: usize) -> usize {
    let mut places = 16;
    while elements > places / 4 * 3 {
        places *= 2;
    }
    places
}

fn java_place(text: &str, places: usize) -> usize {
    let hash = java_hash(text) as u32;
    (hash ^ hash >> 16) as usize & (places - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of API Gateway that its users have published.
    #[test]
    fn messages_come_in_the_order_in_which_users_saw_them() {
        let known = r#"possible values: ["STOCK","BOND","CASH"]"#;
        let date = r#"ECMA 262 regex "^\d{4}\-(0[1-9]|1[012])\-(0[1-9]|[12][0-9]|3[01])$" does not match input string "2018-1-2""#;
        let too_large = |found: u32| {
            format!("numeric instance is greater than the required maximum (maximum: 1000, found: {found})")
        };
        let too_long = r#"string "thisstringistoolong" is too long (length: 19, maximum allowed: 4)"#;
        let unknown = |value: &str| format!("instance value ({value:?}) not found in enum ({known})");
        let wrong_type =
            r#"instance type (null) does not match any allowed primitive type (allowed: ["integer","number"])"#;
        let format = r#"format attribute "double" not supported"#;
        let rows: [&[&str]; 3] = [
            &[date, &too_large(999_999), too_long, &unknown("foobar")],
            &[&unknown("WOW"), &too_large(10_000_000)],
            &[wrong_type, format],
        ];
        for expected in rows {
            for turn in 0..expected.len() {
                let mut all = All::default();
                for message in expected.iter().cycle().skip(turn).take(expected.len() * 2) {
                    all.fault(|| (*message).to_owned()).expect("few faults");
                }
                assert_eq!(all.messages(), expected);
            }
        }
    }

    #[test]
    fn remarks_are_told_beside_faults_only() {
        let mut all = All::default();
        all.remark(|| "remark".into());
        assert!(!all.has_faults());
        assert!(all.messages().is_empty());
    }
}
