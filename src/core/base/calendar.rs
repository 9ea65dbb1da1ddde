//! Days and hours of the proleptic Gregorian calendar in UTC, from Unix time and back.

use super::time::WallTime;

const DAY_SECONDS: u64 = 86_400;
/// 400 years are one era: the calendar repeats.
const ERA_DAYS: u64 = 146_097;
/// 1970-01-01 in a calendar that begins on 0000-03-01. Years that begin in March put the leap day last, and the lengths
/// of months follow one line: five months have 153 days.
const EPOCH_DAY: u64 = 719_468;

/// A second of the calendar. What is made of a time is a date that exists; what is written by hand need not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil {
    /// From 1970 on.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

impl Civil {
    /// The second in which `at` lies.
    pub const fn of(at: WallTime) -> Self {
        let (days, second_of_day) = (at.as_secs() / DAY_SECONDS + EPOCH_DAY, at.as_secs() % DAY_SECONDS);
        let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let is_after_december = month_from_march >= 10;
        Self {
            year: era * 400 + year_of_era + is_after_december as u64,
            month: (month_from_march + 2) % 12 + 1,
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }

    /// When that second begins. `None` when there is no such second, or when it lies before 1970 or after 9999.
    pub fn begins(self) -> Option<WallTime> {
        if !(1970..=9999).contains(&self.year) || !(1..=12).contains(&self.month) || self.day > 31 {
            return None;
        }
        let year = self.year - u64::from(self.month <= 2);
        let (era, year_of_era) = (year / 400, year % 400);
        let day_of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day.checked_sub(1)?;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = (era * ERA_DAYS + day_of_era).checked_sub(EPOCH_DAY)?;
        let second_of_day = self.hour.checked_mul(3_600)?.checked_add(self.minute.checked_mul(60)?)?;
        let seconds = (days * DAY_SECONDS).checked_add(second_of_day)?.checked_add(self.second)?;
        let begins = WallTime::from_millis(seconds.checked_mul(1_000)?);
        // The 30th of February is a day of March, and second 60 one of the next minute: neither comes back as itself.
        (Self::of(begins) == self).then_some(begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Civil {
        Civil::of(WallTime::from_millis(seconds * 1_000))
    }

    #[test]
    fn days_follow_each_other_for_eight_centuries_and_lead_back() {
        let mut before = at(0);
        assert_eq!(before, Civil { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0 });
        for day in 1..292_194 {
            let now = at(day * DAY_SECONDS);
            let same_month = now == Civil { day: before.day + 1, ..before };
            let next_month = now == Civil { day: 1, month: before.month + 1, ..before };
            let next_year = now == Civil { day: 1, month: 1, year: before.year + 1, ..before } && before.month == 12;
            assert!(same_month || next_month || next_year, "{before:?} {now:?}");
            assert_eq!(now.begins(), Some(WallTime::from_millis(day * DAY_SECONDS * 1_000)));
            before = now;
        }
    }

    #[test]
    fn seconds_that_do_not_exist_have_no_beginning() {
        let second = Civil { year: 2023, month: 2, day: 28, hour: 23, minute: 59, second: 59 };
        assert_eq!(second.begins(), Some(WallTime::from_millis(1_677_628_799_000)));
        for wrong in [
            Civil { day: 29, ..second },
            Civil { day: 0, ..second },
            Civil { month: 0, ..second },
            Civil { month: 13, ..second },
            Civil { hour: 24, ..second },
            Civil { minute: 60, ..second },
            Civil { second: 60, ..second },
            Civil { year: 1969, ..second },
            Civil { year: u64::MAX, ..second },
            Civil { second: u64::MAX, ..second },
        ] {
            assert_eq!(wrong.begins(), None, "{wrong:?}");
        }
        Civil::of(WallTime::from_millis(u64::MAX));
    }
}
