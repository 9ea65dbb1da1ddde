//! Medians, ratios of paired rounds, and the mark.

/// The mark that is asked for.
pub const MARK_ASKED: f64 = 0.4;

/// The middle value, or the mean of the two in the middle; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// `above / below` of each pair.
pub fn ratios(above: &[f64], below: &[f64]) -> Vec<f64> {
    above.iter().zip(below).map(|(above, below)| above / below).collect()
}

/// The work above the floor, as a share of nginx's work above the floor, in each round:
/// (Ringgate - floor) / (nginx - floor). A round in which nginx was not above the floor says nothing and is
/// left out.
pub fn marks(ringgate: &[f64], floor: &[f64], nginx: &[f64]) -> Vec<f64> {
    let rounds = ringgate.iter().zip(floor).zip(nginx);
    rounds
        .filter(|((_, floor), nginx)| nginx > floor)
        .map(|((ring, floor), nginx)| (ring - floor) / (nginx - floor))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_mark_is_the_share_of_nginx_work_above_the_floor() {
        // With the floor at 0.65 of nginx, 0.79 of nginx is the mark that is asked for.
        let marks = marks(&[0.79, 0.65, 1.0], &[0.65; 3], &[1.0; 3]);
        assert!((marks[0] - MARK_ASKED).abs() < 1e-9);
        assert_eq!(marks[1..], [0.0, 1.0]);
    }

    #[test]
    fn rounds_in_which_nginx_is_the_floor_say_nothing() {
        assert!(marks(&[1.0], &[2.0], &[2.0]).is_empty());
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        assert_eq!(ratios(&[2.0, 9.0], &[1.0, 3.0]), [2.0, 3.0]);
    }
}
