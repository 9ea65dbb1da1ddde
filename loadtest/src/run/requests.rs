//! The requests of a load: one, or one for each path, chosen at random from a seed.

/// Bytes of the requests, up to the path, the paths, and after them.
#[derive(Clone)]
pub struct Requests {
    before: Vec<u8>,
    after: Vec<u8>,
    paths: Vec<u8>,
    /// Where each path ends in `paths`.
    ends: Vec<usize>,
}

impl Requests {
    /// Requests that differ only in their path.
    pub fn build(method: &str, host: &str, headers: &[String], body: &[u8], paths: &[String]) -> Result<Self, String> {
        if paths.is_empty() {
            return Err("there is no path to request".to_owned());
        }
        let is_host = |header: &&String| header.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("host:"));
        let mut after = String::from(" HTTP/1.1\r\n");
        if !headers.iter().any(|header| is_host(&header)) {
            after += &format!("Host: {host}\r\n");
        }
        for header in headers {
            if !header.contains(':') || header.contains(['\r', '\n']) {
                return Err(format!("`{header}` is not a header line"));
            }
            after += &format!("{header}\r\n");
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
            after += &format!("Content-Length: {}\r\n", body.len());
        }
        after += "\r\n";
        let mut requests = Self {
            before: format!("{method} ").into_bytes(),
            after: [after.as_bytes(), body].concat(),
            paths: Vec::new(),
            ends: Vec::with_capacity(paths.len()),
        };
        for path in paths {
            requests.paths.extend_from_slice(path.as_bytes());
            requests.ends.push(requests.paths.len());
        }
        Ok(requests)
    }

    /// How many different ones there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Writes one of them over `out`.
    pub fn write(&self, index: usize, out: &mut Vec<u8>) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        out.clear();
        out.extend_from_slice(&self.before);
        out.extend_from_slice(&self.paths[start..self.ends[index]]);
        out.extend_from_slice(&self.after);
    }
}

/// A small generator of random numbers (SplitMix64): good enough to choose paths, and the same for a seed.
pub struct Chooser(u64);

impl Chooser {
    /// A generator for one of several threads.
    pub fn new(seed: u64, lane: usize) -> Self {
        Self(seed ^ (lane as u64).wrapping_mul(0xA076_1D64_78BD_642F))
    }

    /// A number below `limit`, uniformly (up to a bias of limit / 2^64).
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * limit as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_makes_a_whole_request() {
        let paths = ["/a".to_owned(), "/bb".to_owned()];
        let requests = Requests::build("POST", "h:1", &["X: y".to_owned()], b"body", &paths).unwrap();
        let mut out = Vec::new();
        requests.write(1, &mut out);
        assert_eq!(out, b"POST /bb HTTP/1.1\r\nHost: h:1\r\nX: y\r\nContent-Length: 4\r\n\r\nbody");
        requests.write(0, &mut out);
        assert!(out.starts_with(b"POST /a HTTP/1.1\r\n"));
    }

    #[test]
    fn a_host_header_replaces_that_of_the_url() {
        let requests = Requests::build("GET", "h:1", &["host: other".to_owned()], b"", &["/".to_owned()]).unwrap();
        let mut out = Vec::new();
        requests.write(0, &mut out);
        assert_eq!(out, b"GET / HTTP/1.1\r\nhost: other\r\n\r\n");
        assert!(Requests::build("GET", "h:1", &["nonsense".to_owned()], b"", &["/".to_owned()]).is_err());
    }

    #[test]
    fn choices_repeat_with_the_seed_and_reach_everything() {
        let draw = |seed, lane| (0..1000).map(|_| ()).scan(Chooser::new(seed, lane), |c, ()| Some(c.below(10)));
        let first: Vec<_> = draw(7, 0).collect();
        assert_eq!(first, draw(7, 0).collect::<Vec<_>>());
        assert_ne!(first, draw(7, 1).collect::<Vec<_>>());
        assert!((0..10).all(|value| first.iter().filter(|&&other| other == value).count() > 50));
    }
}
