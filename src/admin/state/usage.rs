//! What a key has used of its plan's quota, and what it may use besides.
//!
//! The plan has the quota; a [`Usage`] is one record for each of its keys, made when there is something to remember.
//! Requests that count are added to their day, and `UpdateUsage` replaces the limit of the period that it falls in.
//! Nothing here knows what time it is.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use ringgate_core::base::calendar::Date;
use serde::{Deserialize, Serialize};

use crate::admin::wire::account::QuotaSettings;

/// Days since 1970-01-01, in UTC: where one ends is not documented, midnight in UTC is what users report.
pub type Day = u64;

/// Days for which usage is remembered.
const KEPT_DAYS: Day = 2 * 366;

/// What a key has used in a plan. Stored under `{plan}/{key}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Requests that count, by day.
    pub used: BTreeMap<Day, u64>,
    /// What takes the place of the plan's limit, by the day since which it does.
    pub allowances: BTreeMap<Day, Allowance>,
}

/// What a key may use in one period, those requests included that it had made when this was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allowance {
    /// The period. When the plan gets another kind of period, this is none of them, and counts no more.
    pub period: Range<Day>,
    /// Requests.
    pub requests: u64,
}

/// How often a quota begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

/// The quota of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: u64,
    /// Taken off the limit in the period in which the key came to the plan (api/API_QuotaSettings).
    offset: u64,
    period: Period,
}

impl Quota {
    /// The quota of a plan that has one.
    pub fn of(settings: &QuotaSettings) -> Option<Self> {
        let period = match settings.period.as_deref()? {
            "DAY" => Period::Day,
            "WEEK" => Period::Week,
            _ => Period::Month,
        };
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Some(Self { limit: count(settings.limit), offset: count(settings.offset), period })
    }

    fn limit_in(&self, period: &Range<Day>, joined: Day) -> u64 {
        if period.contains(&joined) { self.limit.saturating_sub(self.offset) } else { self.limit }
    }
}

impl Period {
    /// The period that `day` is in.
    fn around(self, day: Day) -> Range<Day> {
        match self {
            Self::Day => day..day + 1,
            Self::Week => {
                // 1970-01-01 was a Thursday. AWS does not say when a week begins: ISO 8601 says on Monday.
                let monday = day.saturating_sub((day + 3) % 7);
                monday..monday + 7
            }
            Self::Month => {
                let Date { year, month, day: of_month } = Date::after_1970(day);
                let first = day + 1 - of_month;
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                let next = Date { year, month, day: 1 }.days_after_1970();
                first..next.unwrap_or(Day::MAX)
            }
        }
    }
}

impl Usage {
    /// Requests of a day that count.
    pub fn used_on(&self, day: Day) -> u64 {
        self.used.get(&day).copied().unwrap_or_default()
    }

    /// What is left of `quota` at the end of a day, to a key that is in the plan since `joined`.
    pub fn remaining(&self, quota: &Quota, joined: Day, day: Day) -> u64 {
        let period = quota.period.around(day);
        let last = self.allowances.range(period.start..=day).next_back();
        let allowance = last.map(|(_, allowance)| allowance).filter(|allowance| allowance.period == period);
        let limit = allowance.map_or_else(|| quota.limit_in(&period, joined), |allowance| allowance.requests);
        limit.saturating_sub(self.used_in(period.start..=day))
    }

    /// Leaves `remaining` requests to the period that `today` is in.
    pub fn set_remaining(&mut self, quota: &Quota, today: Day, remaining: u64) {
        let period = quota.period.around(today);
        let requests = remaining.saturating_add(self.used_in(period.start..=today));
        self.allowances.insert(today, Allowance { period, requests });
        let first_kept = today.saturating_sub(KEPT_DAYS);
        self.allowances.retain(|day, _| *day >= first_kept);
        self.used.retain(|day, _| *day >= first_kept);
    }

    fn used_in(&self, days: RangeInclusive<Day>) -> u64 {
        self.used.range(days).map(|(_, used)| used).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        let mut parts = text.split('-').map(|part| part.parse().expect("a number"));
        let mut next = || parts.next().expect("three");
        Date { year: next(), month: next(), day: next() }.days_after_1970().expect("a day")
    }

    fn quota(limit: i64, offset: i64, period: &str) -> Quota {
        Quota::of(&QuotaSettings { limit, offset, period: Some(period.to_owned()) }).expect("a quota")
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        for (period, of, first, next) in [
            (Period::Day, "2024-02-29", "2024-02-29", "2024-03-01"),
            (Period::Week, "2026-11-21", "2026-11-16", "2026-11-23"),
            (Period::Week, "2026-11-16", "2026-11-16", "2026-11-23"),
            (Period::Week, "2026-11-15", "2026-11-09", "2026-11-16"),
            (Period::Week, "2027-01-01", "2026-12-28", "2027-01-04"),
            (Period::Month, "2024-02-29", "2024-02-01", "2024-03-01"),
            (Period::Month, "2026-12-31", "2026-12-01", "2027-01-01"),
            (Period::Month, "2027-01-01", "2027-01-01", "2027-02-01"),
        ] {
            assert_eq!(period.around(day(of)), day(first)..day(next), "{period:?} {of}");
        }
        assert_eq!(Period::Week.around(0).start, 0);
        assert_eq!(Period::Month.around(day("9999-12-31")).end, Day::MAX);
    }

    #[test]
    fn what_is_used_is_taken_off_until_the_period_ends() {
        let mut usage = Usage::default();
        usage.used.extend([(day("2026-09-01"), 137), (day("2026-09-02"), 123), (day("2026-09-03"), 84)]);
        let pairs = |quota: Quota| {
            ["2026-08-31", "2026-09-01", "2026-09-02", "2026-09-03", "2026-09-04", "2026-10-01"].map(|text| {
                let day = day(text);
                (usage.used_on(day), usage.remaining(&quota, 0, day))
            })
        };
        let month = [(0, 1000), (137, 863), (123, 740), (84, 656), (0, 656), (0, 1000)];
        assert_eq!(pairs(quota(1000, 0, "MONTH")), month);
        let days = [(0, 130), (137, 0), (123, 7), (84, 46), (0, 130), (0, 130)];
        assert_eq!(pairs(quota(130, 0, "DAY")), days);
    }

    #[test]
    fn the_offset_is_taken_off_the_first_period_alone() {
        let (usage, quota, joined) = (Usage::default(), quota(100, 6, "WEEK"), day("2026-11-18"));
        let on = |text| usage.remaining(&quota, joined, day(text));
        assert_eq!(["2026-11-15", "2026-11-16", "2026-11-22", "2026-11-23"].map(on), [100, 94, 94, 100]);
    }

    #[test]
    fn what_is_said_to_remain_remains_from_that_day_to_the_end_of_the_period() {
        let month = quota(5000, 0, "MONTH");
        let mut usage = Usage::default();
        usage.used.insert(day("2016-08-02"), 7);
        usage.set_remaining(&month, day("2016-08-03"), 10);
        usage.set_remaining(&month, day("2016-08-05"), 9000);
        usage.used.insert(day("2016-08-05"), 1);
        let on = |text| usage.remaining(&month, 0, day(text));
        let days = ["2016-08-01", "2016-08-02", "2016-08-03", "2016-08-04", "2016-08-05", "2016-08-31", "2016-09-01"];
        assert_eq!(days.map(on), [5000, 4993, 10, 10, 8999, 8999, 5000]);
        let week = quota(50, 0, "WEEK");
        assert_eq!(usage.remaining(&week, 0, day("2016-08-05")), 42, "another period was not spoken of");
    }

    #[test]
    fn what_is_long_over_is_forgotten() {
        let quota = quota(10, 0, "DAY");
        let mut usage = Usage::default();
        usage.used.insert(1_000, 1);
        usage.set_remaining(&quota, 1_000, 5);
        usage.set_remaining(&quota, 1_000 + KEPT_DAYS, 6);
        assert_eq!((usage.used.len(), usage.allowances.len()), (1, 2));
        usage.set_remaining(&quota, 1_001 + KEPT_DAYS, 7);
        assert_eq!((usage.used.len(), usage.allowances.len()), (0, 2));
    }
}
