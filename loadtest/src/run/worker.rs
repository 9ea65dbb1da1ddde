//! One thread of the generator: an epoll loop and its share of the connections.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::epoll::EventFlags;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};

use super::requests::Chooser;
use super::schedule::Schedule;
use super::tally::{Failure, Sample, Tally};
use super::{Live, Load, Nanos, Pace};
use crate::http::response::{Answer, ResponseReader};
use crate::net::{self, ENDED, Moved, Poll};

const BUFFER_BYTES: usize = 128 * 1024;
const TIMER_KEY: u64 = u64::MAX;
/// How often time-outs and reconnects are looked at.
const SWEEP_EVERY: Duration = Duration::from_millis(50);
/// How long a connection that failed stays down.
const RECONNECT_AFTER: Nanos = 20_000_000;

/// Runs lane `lane` of the load from `epoch` to its end.
pub fn run(load: &Load, lane: usize, epoch: Instant, live: &Live) -> io::Result<Tally> {
    if let Some(cpus) = &load.cpus {
        cpus.confine_current_thread()?;
    }
    // The default slack lets the kernel be 50 us late for every timer of an open loop.
    rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1_000))?;
    let mut worker = Worker::new(load, lane, epoch, live)?;
    worker.run()?;
    Ok(worker.tally)
}

enum Phase {
    /// Waiting for the handshake.
    Connecting,
    /// Ready for a request.
    Idle,
    /// A request is under way.
    Busy { intended: Nanos, sent: Nanos },
    /// No socket until then.
    Down { until: Nanos },
}

struct Connection {
    socket: Option<OwnedFd>,
    phase: Phase,
    reader: ResponseReader,
    request: Vec<u8>,
    written: usize,
}

struct Worker<'a> {
    load: &'a Load,
    live: &'a Live,
    epoch: Instant,
    now: Nanos,
    poll: Poll,
    timer: OwnedFd,
    timer_at: Nanos,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    schedule: Option<Schedule>,
    chooser: Chooser,
    tally: Tally,
    errors: u64,
    completed: u64,
    next_sweep: Nanos,
    buffer: Box<[u8]>,
}

impl<'a> Worker<'a> {
    fn new(load: &'a Load, lane: usize, epoch: Instant, live: &'a Live) -> io::Result<Self> {
        let tally = Tally::new(load);
        let schedule = match load.pace {
            Pace::Closed => None,
            Pace::Constant(rate) => Some(Schedule::new(rate, lane, load.threads, 0, tally.end())),
        };
        let poll = Poll::new()?;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        poll.add(&timer, TIMER_KEY)?;
        let share = load.connections / load.threads + usize::from(lane < load.connections % load.threads);
        Ok(Self {
            load,
            live,
            epoch,
            now: 0,
            poll,
            timer,
            timer_at: 0,
            connections: (0..share).map(|_| Connection::down(load)).collect(),
            idle: Vec::with_capacity(share),
            schedule,
            chooser: Chooser::new(load.seed, lane),
            tally,
            errors: 0,
            completed: 0,
            next_sweep: 0,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let last = self.tally.end() + self.load.grace.as_nanos() as Nanos;
        loop {
            self.now = self.clock();
            if self.now >= self.next_sweep {
                self.sweep();
            }
            self.send_due();
            if self.is_done() || self.now >= last {
                break;
            }
            self.arm_timer()?;
            self.poll.wait(Some(SWEEP_EVERY))?;
            self.now = self.clock();
            for index in 0..self.poll.len() {
                let (key, flags) = self.poll.event(index);
                if key != TIMER_KEY {
                    self.handle_event(key as usize, flags);
                }
            }
        }
        self.give_up_unfinished();
        Ok(())
    }

    fn clock(&self) -> Nanos {
        self.epoch.elapsed().as_nanos() as Nanos
    }

    /// A closed loop ends with the measured time; an open one when its timetable is worked off as well.
    fn is_done(&self) -> bool {
        self.now >= self.tally.end()
            && self.schedule.as_ref().is_none_or(|schedule| {
                schedule.next().is_none()
                    && !self.connections.iter().any(|connection| matches!(connection.phase, Phase::Busy { .. }))
            })
    }

    /// Sends what the timetable says is due, as far as there are idle connections.
    fn send_due(&mut self) {
        let Some(mut schedule) = self.schedule.take() else { return };
        while !self.idle.is_empty() {
            let Some(intended) = schedule.take_due(self.now) else { break };
            if let Some(slot) = self.idle.pop() {
                self.send_request(slot, intended);
            }
        }
        self.schedule = Some(schedule);
    }

    /// Wakes us for the next request of the timetable, if a connection could take it.
    fn arm_timer(&mut self) -> io::Result<()> {
        let Some(next) = self.schedule.as_ref().and_then(Schedule::next) else { return Ok(()) };
        if self.idle.is_empty() || next == self.timer_at {
            return Ok(());
        }
        self.timer_at = next;
        let wait = Duration::from_nanos(next.saturating_sub(self.clock()).max(1));
        let it_value =
            Timespec { tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: wait.subsec_nanos().into() };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    fn handle_event(&mut self, slot: usize, flags: EventFlags) {
        let connection = &mut self.connections[slot];
        let Some(socket) = &connection.socket else { return };
        if matches!(connection.phase, Phase::Connecting) {
            if !net::connected(socket) {
                return self.fail(slot, Some(Failure::Connect));
            }
            if flags.contains(EventFlags::OUT) {
                self.next_request(slot);
            }
        } else if connection.written < connection.request.len() {
            self.write(slot);
        }
        if flags.intersects(EventFlags::IN | ENDED) {
            self.read(slot, flags.intersects(ENDED));
        }
    }

    /// Reads until the socket is empty: known from a short read, unless the peer has ended too.
    fn read(&mut self, slot: usize, has_ended: bool) {
        loop {
            let Some(socket) = &self.connections[slot].socket else { return };
            match net::read(socket, &mut self.buffer) {
                Moved::Bytes(count) => {
                    self.tally.handle_bytes(count, self.now);
                    self.handle_input(slot, count);
                    if count < self.buffer.len() && !has_ended {
                        return;
                    }
                }
                Moved::Later => return,
                Moved::Ended => return self.handle_close(slot),
            }
        }
    }

    fn handle_input(&mut self, slot: usize, count: usize) {
        let mut at = 0;
        while at < count {
            let connection = &mut self.connections[slot];
            if !matches!(connection.phase, Phase::Busy { .. }) {
                // Bytes that answer nothing.
                return self.fail(slot, Some(Failure::Protocol));
            }
            match connection.reader.handle_bytes(&self.buffer[at..count]) {
                Ok((used, None)) => at += used,
                Ok((used, Some(answer))) => {
                    at += used;
                    self.handle_answer(slot, answer);
                }
                Err(_) => return self.fail(slot, Some(Failure::Protocol)),
            }
        }
    }

    fn handle_answer(&mut self, slot: usize, answer: Answer) {
        let Phase::Busy { intended, sent } = self.connections[slot].phase else { return };
        self.now = self.clock();
        match self.judge(answer) {
            None => {
                self.tally.handle_answer(Sample { intended, sent, done: self.now });
                self.completed += 1;
                self.live.completed.store(self.completed, Ordering::Relaxed);
            }
            Some(failure) => self.count_failure(failure),
        }
        if answer.is_kept_alive {
            self.next_request(slot);
        } else {
            self.fail(slot, None);
        }
    }

    fn judge(&self, answer: Answer) -> Option<Failure> {
        let expectation = &self.load.expectation;
        if !expectation.status.map_or(answer.status < 400, |status| status == answer.status) {
            return Some(Failure::Status);
        }
        let is_length_right = expectation.body_bytes.is_none_or(|length| length == answer.body_bytes);
        (!is_length_right).then_some(Failure::Length)
    }

    fn handle_close(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        match (&connection.phase, connection.reader.handle_close()) {
            (Phase::Busy { .. }, Some(answer)) => self.handle_answer(slot, answer),
            (Phase::Busy { .. }, None) => self.fail(slot, Some(Failure::Reset)),
            (Phase::Connecting, _) => self.fail(slot, Some(Failure::Connect)),
            (Phase::Idle | Phase::Down { .. }, _) => self.fail(slot, None),
        }
    }

    /// A connection is free: the next request of a closed loop, or one that is due, or idleness.
    fn next_request(&mut self, slot: usize) {
        let intended = match &mut self.schedule {
            None => Some(self.now),
            Some(schedule) => schedule.take_due(self.now),
        };
        match intended {
            Some(intended) => self.send_request(slot, intended),
            None => {
                self.connections[slot].phase = Phase::Idle;
                self.idle.push(slot);
            }
        }
    }

    fn send_request(&mut self, slot: usize, intended: Nanos) {
        let count = self.load.requests.len();
        let connection = &mut self.connections[slot];
        if count > 1 {
            self.load.requests.write(self.chooser.below(count), &mut connection.request);
        }
        connection.written = 0;
        connection.phase = Phase::Busy { intended, sent: self.now };
        self.write(slot);
    }

    fn write(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let Some(socket) = &connection.socket else { return };
        match net::write(socket, &connection.request[connection.written..]) {
            Moved::Bytes(count) => connection.written += count,
            Moved::Later => {}
            Moved::Ended => self.fail(slot, Some(Failure::Reset)),
        }
    }

    fn count_failure(&mut self, failure: Failure) {
        self.tally.handle_failure(failure, self.now);
        self.errors += 1;
        self.live.errors.store(self.errors, Ordering::Relaxed);
    }

    /// Closes a connection, for a reason that counts or for none; it comes back a little later, at once when
    /// the server only asked for a new one.
    fn fail(&mut self, slot: usize, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.count_failure(failure);
        }
        let connection = &mut self.connections[slot];
        if matches!(connection.phase, Phase::Idle) {
            self.idle.retain(|&other| other != slot);
        }
        connection.socket = None;
        connection.phase = Phase::Down { until: self.now + RECONNECT_AFTER };
        if failure.is_none() {
            self.tally.reconnects += 1;
            self.connect(slot);
        }
    }

    fn connect(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        connection.reader = ResponseReader::new(self.load.bodies);
        connection.written = connection.request.len();
        let socket = net::connect(self.load.target);
        match socket.and_then(|socket| self.poll.add(&socket, slot as u64).map(|()| socket)) {
            Ok(socket) => {
                connection.socket = Some(socket);
                connection.phase = Phase::Connecting;
            }
            Err(_) => {
                connection.phase = Phase::Down { until: self.now + RECONNECT_AFTER };
                self.count_failure(Failure::Connect);
            }
        }
    }

    fn sweep(&mut self) {
        self.next_sweep = self.now + SWEEP_EVERY.as_nanos() as Nanos;
        let patience = self.load.timeout.as_nanos() as Nanos;
        for slot in 0..self.connections.len() {
            match self.connections[slot].phase {
                Phase::Busy { sent, .. } if self.now > sent + patience => self.fail(slot, Some(Failure::Timeout)),
                Phase::Down { until } if self.now >= until => self.connect(slot),
                _ => {}
            }
        }
        self.live.p99_us.store(self.tally.recent_p99_us(), Ordering::Relaxed);
    }

    /// The end of an open loop: what is under way or still due has waited at least until now.
    fn give_up_unfinished(&mut self) {
        self.now = self.clock();
        let Some(mut schedule) = self.schedule.take() else { return };
        for connection in &self.connections {
            if let Phase::Busy { intended, .. } = connection.phase
                && intended >= self.tally.begin()
            {
                self.tally.handle_unfinished(intended, self.now);
            }
        }
        while let Some(intended) = schedule.take_due(self.now) {
            if intended >= self.tally.begin() {
                self.tally.handle_unfinished(intended, self.now);
            }
        }
    }
}

impl Connection {
    fn down(load: &Load) -> Self {
        let mut request = Vec::new();
        load.requests.write(0, &mut request);
        let written = request.len();
        let reader = ResponseReader::new(load.bodies);
        Self { socket: None, phase: Phase::Down { until: 0 }, reader, request, written }
    }
}
