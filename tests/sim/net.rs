//! The seam between the gateway and its runtime: what lets `net` change the runtime one day without changing anything
//! else. Every claim holds on the best driver that this kernel grants and on epoll.
//!
//! What needs a process of its own (limits, a refused ring) runs this binary again with `NET_CHILD` naming the part.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as StdInstant};

use ringgate::net::buffers::{Buffers, OutOfMemory, Size};
use ringgate::net::listen::{Listener, bind_tcp, is_out_of_descriptors};
use ringgate::net::ring::{Driver, Shutdown, Socket, is_cancelled};
use ringgate::net::timer::Deadlines;
use ringgate::net::wake::{Wakeups, pair as wake_pair};
use ringgate::net::{sleep, spawn, timeout};
use ringgate_core::base::Instant;

/// Nothing here should take longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a test on the best driver and on epoll, each on a thread of its own.
fn on_both(test: impl AsyncFn() + Copy + Send + 'static) {
    for driver in [Driver::probe(), Driver::Epoll] {
        let thread = std::thread::spawn(move || {
            let finished =
                driver.run(async move { timeout(PATIENCE, test()).await }).expect("the kernel grants a loop");
            assert!(finished.is_some(), "it hangs on {}", driver.as_str());
        });
        thread.join().unwrap_or_else(|panic| {
            eprintln!("on {}", driver.as_str());
            std::panic::resume_unwind(panic)
        });
    }
}

fn listener() -> (Listener, SocketAddr) {
    let bound = bind_tcp("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let address = bound.address().expect("TCP has one");
    (Listener::new(bound).expect("a listener"), address)
}

/// Both ends of one connection.
async fn connected(listener: &Listener, address: SocketAddr) -> (Socket, Socket) {
    let client = Socket::connect(address).await.expect("it listens");
    let (server, _) = listener.accept().await.expect("a connection waits");
    (client, server)
}

async fn pair() -> (Socket, Socket) {
    let (listener, address) = listener();
    connected(&listener, address).await
}

/// The clock of deadlines: nanoseconds since the test began.
fn clock() -> impl Fn() -> Instant + Copy {
    let start = StdInstant::now();
    move || Instant::from_nanos(start.elapsed().as_nanos() as u64)
}

/// Sweeps every millisecond until nobody else holds `running`.
fn sweep_while(running: &Rc<()>, deadlines: &Deadlines, now: impl Fn() -> Instant + 'static) {
    let (running, deadlines) = (Rc::downgrade(running), deadlines.clone());
    spawn(async move {
        while running.upgrade().is_some() {
            sleep(Duration::from_millis(1)).await;
            deadlines.sweep(now());
        }
    });
}

/// Writes and gives the socket back, so that a task can own it.
async fn send(socket: &Socket, bytes: &[u8]) {
    let (written, _) = socket.write_all(bytes.to_vec(), 0..bytes.len()).await;
    written.expect("the other end reads");
}

#[test]
fn a_deadline_ends_a_pending_read() {
    on_both(async || {
        let (_client, server) = pair().await;
        let (deadlines, now, running) = (Deadlines::default(), clock(), Rc::new(()));
        let deadline = deadlines.watch(&server);
        sweep_while(&running, &deadlines, now);
        deadline.set(now() + Duration::from_millis(20), Shutdown::Read);
        let (read, buffer) = server.read(vec![0; 64], 0..64).await;
        assert_eq!((read.expect("an end is no error"), buffer.len(), deadline.has_fired()), (0, 64, true));
        send(&server, b"still writable").await;
    });
}

#[test]
fn what_arrived_before_a_deadline_is_still_delivered() {
    on_both(async || {
        let (client, server) = pair().await;
        let deadlines = Deadlines::default();
        let deadline = deadlines.watch(&server);
        send(&client, b"hello").await;
        server.readable().await.expect("it has arrived");
        deadline.set(Instant::from_nanos(1), Shutdown::Read);
        deadlines.sweep(Instant::from_nanos(2));
        let (read, buffer) = server.read(vec![0; 64], 0..64).await;
        let count = read.expect("no error");
        assert_eq!((&buffer[..count], deadline.has_fired()), (&b"hello"[..], true));
        assert_eq!(server.read(buffer, 0..64).await.0.expect("an end is no error"), 0);
    });
}

/// Reads with a deadline of one millisecond each, while a sender drips: whatever is cancelled, no byte is lost.
#[test]
fn cancelled_reads_lose_nothing() {
    on_both(async || {
        const PIECES: usize = 600;
        let (client, server) = pair().await;
        let (deadlines, now, running) = (Deadlines::default(), clock(), Rc::new(()));
        let deadline = deadlines.watch(&server);
        sweep_while(&running, &deadlines, now);
        spawn(async move {
            for piece in 0..PIECES {
                send(&client, &[piece as u8; 20]).await;
                if piece % 3 == 0 {
                    sleep(Duration::from_millis(1 + (piece % 4) as u64)).await;
                }
            }
        });
        let (mut received, mut cancelled, mut buffer) = (Vec::new(), 0, vec![0; 4096]);
        loop {
            let cancel = deadline.cancel_at(now() + Duration::from_millis(1));
            let (read, lent) = server.read_until_cancelled(buffer, 0..4096, cancel).await;
            buffer = lent;
            match read {
                Ok(0) => break,
                Ok(count) => received.extend_from_slice(&buffer[..count]),
                Err(error) if is_cancelled(&error) => cancelled += 1,
                Err(error) => panic!("{error}"),
            }
        }
        let expected: Vec<u8> = (0..PIECES).flat_map(|piece| [piece as u8; 20]).collect();
        assert!(received == expected, "{} of {} bytes, {cancelled} reads cancelled", received.len(), expected.len());
        assert!(cancelled > 0, "nothing was cancelled");
    });
}

#[test]
fn a_busy_task_does_not_starve_a_quiet_one() {
    on_both(async || {
        let (busy, echo) = pair().await;
        let (turns, stop) = (Rc::new(Cell::new(0_u64)), Rc::new(Cell::new(false)));
        spawn(async move {
            let mut buffer = vec![0; 16];
            loop {
                let (read, lent) = echo.read(buffer, 0..16).await;
                let Ok(count @ 1..) = read else { return };
                let (written, lent) = echo.write_all(lent, 0..count).await;
                buffer = lent;
                if written.is_err() {
                    return;
                }
            }
        });
        let (counted, stopped) = (turns.clone(), stop.clone());
        spawn(async move {
            let mut buffer = vec![7; 16];
            while !stopped.get() {
                let (written, lent) = busy.write_all(buffer, 0..16).await;
                written.expect("the echo reads");
                let (read, lent) = busy.read(lent, 0..16).await;
                read.expect("the echo writes");
                buffer = lent;
                counted.set(counted.get() + 1);
            }
        });
        let started = StdInstant::now();
        for _ in 0..50 {
            sleep(Duration::from_millis(1)).await;
        }
        stop.set(true);
        assert!(turns.get() > 50, "the busy task was busy: {}", turns.get());
        assert!(started.elapsed() < Duration::from_secs(5), "50 ms of sleep took {:?}", started.elapsed());
    });
}

#[test]
fn three_thousand_operations_at_once_all_end() {
    on_both(async || {
        const PAIRS: usize = 1_500;
        let (listener, address) = listener();
        let done = Rc::new(Cell::new(0));
        let mut sockets = Vec::new();
        for _ in 0..PAIRS {
            let (client, server) = connected(&listener, address).await;
            sockets.extend([Rc::new(client), Rc::new(server)]);
        }
        for socket in &sockets {
            let (socket, done) = (socket.clone(), done.clone());
            spawn(async move {
                let (read, buffer) = socket.read(vec![0; 8], 0..8).await;
                assert_eq!(&buffer[..read.expect("the peer writes")], b"x");
                done.set(done.get() + 1);
            });
        }
        sleep(Duration::from_millis(5)).await;
        for socket in sockets {
            spawn(async move { send(&socket, b"x").await });
        }
        while done.get() < 2 * PAIRS {
            sleep(Duration::from_millis(2)).await;
        }
    });
}

/// On epoll the runtime reads on for as long as there is something, whatever the size.
#[test]
fn a_peer_that_always_has_more_does_not_keep_the_ring_to_itself() {
    const PIECE: usize = 32 * 1024;
    const PIECES: usize = 8;
    let driver = Driver::probe();
    if driver == Driver::Epoll {
        return eprintln!("not tested: this kernel refuses the ring");
    }
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    rustix::net::sockopt::set_socket_send_buffer_size(&theirs, PIECE * PIECES * 2).expect("a larger buffer");
    theirs.set_nonblocking(true).expect("an option");
    let filled = std::iter::from_fn(|| theirs.write(&[7; PIECE]).ok()).sum::<usize>();
    assert!(filled >= PIECE * PIECES, "only {filled} bytes fit");
    let has_run = driver.run(async move {
        let (socket, has_run) = (Socket::pair_end(ours).expect("a socket"), Rc::new(Cell::new(false)));
        let other = has_run.clone();
        spawn(async move { other.set(true) });
        let mut buffer = vec![0; PIECE];
        for _ in 0..PIECES {
            let (read, lent) = socket.read(buffer, 0..PIECE).await;
            assert_eq!(read.expect("it is there"), PIECE);
            buffer = lent;
        }
        has_run.get()
    });
    assert!(has_run.expect("the kernel grants a loop"), "nobody else had a turn");
}

#[test]
fn one_socket_is_read_and_written_at_once() {
    on_both(async || {
        const BYTES: usize = 8 << 20;
        let (client, server) = pair().await;
        let finished = Rc::new(Cell::new(0));
        for socket in [Rc::new(client), Rc::new(server)] {
            let (writer, counted) = (socket.clone(), finished.clone());
            // Neither end could finish if it had to write everything before it reads.
            spawn(async move {
                let (written, _) = writer.write_all(vec![9; BYTES], 0..BYTES).await;
                written.expect("the other end reads");
                writer.shutdown(Shutdown::Write);
                counted.set(counted.get() + 1);
            });
            let counted = finished.clone();
            spawn(async move {
                let (mut total, mut buffer) = (0, vec![0; 65_536]);
                loop {
                    let (read, lent) = socket.read(buffer, 0..65_536).await;
                    buffer = lent;
                    match read.expect("the other end writes") {
                        0 => break,
                        count => total += count,
                    }
                }
                assert_eq!(total, BYTES);
                counted.set(counted.get() + 1);
            });
        }
        while finished.get() < 4 {
            sleep(Duration::from_millis(2)).await;
        }
    });
}

#[test]
fn another_thread_wakes_a_shard() {
    on_both(async || {
        let (waker, seed) = wake_pair().expect("two descriptors");
        let mut wakeups = Wakeups::new(seed).expect("a socket");
        let mailbox = Arc::new(AtomicUsize::new(0));
        let sent = mailbox.clone();
        let thread = std::thread::spawn(move || {
            for number in 1..=20_000 {
                sent.store(number, Ordering::Release);
                waker.wake();
            }
        });
        let mut seen = 0;
        while wakeups.next().await {
            seen = mailbox.load(Ordering::Acquire);
        }
        assert_eq!(seen, 20_000, "the last message was missed");
        thread.join().expect("the other thread is well");
    });
}

#[test]
fn connecting_ends_when_its_time_is_up() {
    on_both(async || {
        // A queue of one that nobody empties: the kernel leaves further clients without an answer.
        let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        full.bind(&"127.0.0.1:0".parse::<SocketAddr>().expect("an address").into()).expect("a free port");
        full.listen(0).expect("it listens");
        let address = full.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
        let (mut waiting, mut late) = (Vec::new(), 0);
        for _ in 0..4 {
            let started = StdInstant::now();
            match timeout(Duration::from_millis(60), Socket::connect(address)).await {
                None => {
                    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
                    late += 1;
                }
                Some(connected) => waiting.push(connected),
            }
        }
        assert!(late > 0, "every connection was taken");
        let (_client, _server) = pair().await;
    });
}

#[test]
fn a_refused_connection_is_an_error_at_once() {
    on_both(async || {
        let free = {
            let (_listener, address) = listener();
            address
        };
        sleep(Duration::from_millis(5)).await;
        let error = Socket::connect(free).await.err().expect("nobody listens");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn lent_memory_is_bounded_and_comes_back() {
    let cap = Size::Body.bytes() + 2 * Size::Head.bytes();
    let buffers = Buffers::new(cap);
    let body = buffers.lend(Size::Body).expect("within the cap");
    let heads = [buffers.lend(Size::Head).expect("within the cap"), buffers.lend(Size::Head).expect("within the cap")];
    assert_eq!((buffers.lend(Size::Head), buffers.lent_bytes()), (Err(OutOfMemory), cap));
    for head in heads {
        assert_eq!(head.len(), Size::Head.bytes());
        buffers.take_back(Size::Head, head);
    }
    assert_eq!(buffers.lend(Size::Body).err(), Some(OutOfMemory), "two heads are less than a body");
    let address = body.as_ptr();
    buffers.take_back(Size::Body, body);
    let again = buffers.lend(Size::Body).expect("it came back");
    assert_eq!((again.as_ptr(), again.len()), (address, Size::Body.bytes()), "the hottest buffer is lent first");
    buffers.take_back(Size::Body, again);
    assert_eq!(buffers.lent_bytes(), 0);
}

/// Parts that need a process of their own.
#[test]
fn child() {
    match std::env::var("NET_CHILD").as_deref() {
        Ok("descriptors") => on_both_here(descriptors_run_out),
        Ok("leaks") => on_both_here(connections_leave_no_descriptor),
        Ok("driver") => {
            let driver = Driver::probe();
            driver.run(echo_once()).expect("the kernel grants a loop");
            println!("driver={}", driver.as_str());
        }
        _ => {}
    }
}

fn on_both_here(test: impl AsyncFn() + Copy) {
    for driver in [Driver::probe(), Driver::Epoll] {
        let finished = driver.run(async move { timeout(PATIENCE, test()).await }).expect("the kernel grants a loop");
        assert!(finished.is_some(), "it hangs on {}", driver.as_str());
    }
}

/// This binary once more, `part` of it alone.
fn again(part: &str, through: &[&str]) -> Command {
    let this = std::env::current_exe().expect("this binary");
    let this = this.to_str().expect("a path in UTF-8");
    let arguments: Vec<&str> =
        through.iter().copied().chain([this, "--exact", "net::child", "--nocapture", "--test-threads=1"]).collect();
    let mut command = Command::new(arguments[0]);
    command.args(&arguments[1..]).env("NET_CHILD", part);
    command
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("this binary starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn a_shard_without_descriptors_accepts_again_when_there_are_some() {
    output(again("descriptors", &[]));
}

/// Takes every descriptor there is, sees the listener say so, gives them back and is served.
async fn descriptors_run_out() {
    let (listener, address) = listener();
    let limit = rustix::process::Rlimit { current: Some(200), maximum: Some(200) };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).expect("a lower limit");
    let client = std::net::TcpStream::connect(address).expect("the queue has room");
    let mut hoard = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    let error = listener.accept().await.err().expect("there is no descriptor");
    assert!(is_out_of_descriptors(&error), "{error}");
    hoard.truncate(hoard.len() - 3);
    let (served, _) = listener.accept().await.expect("there are descriptors again");
    send(&served, b"hello").await;
    let mut told = [0; 5];
    std::io::Read::read_exact(&mut &client, &mut told).expect("it is served");
    assert_eq!(&told, b"hello");
}

#[test]
fn connections_that_end_in_any_way_leave_no_descriptor() {
    output(again("leaks", &[]));
}

async fn connections_leave_no_descriptor() {
    let open = || std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    let (listener, address) = listener();
    let refused: SocketAddr = "127.0.0.1:1".parse().expect("an address");
    drop(connected(&listener, address).await);
    sleep(Duration::from_millis(20)).await;
    let before = open();
    let held = RefCell::new(Vec::new());
    for round in 0..100 {
        let (client, server) = connected(&listener, address).await;
        match round % 4 {
            0 => drop((client, server)),
            1 => {
                client.shutdown(Shutdown::Both);
                held.borrow_mut().push(server);
            }
            // A wait for readability is dropped unfinished.
            2 => assert!(timeout(Duration::from_millis(1), server.readable()).await.is_none()),
            _ => assert!(Socket::connect(refused).await.is_err()),
        }
    }
    held.borrow_mut().clear();
    let patience = StdInstant::now();
    while open() > before && patience.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(open() <= before, "{} descriptors more than before", open() - before);
}

async fn echo_once() {
    let (client, server) = pair().await;
    send(&client, b"ping").await;
    let (read, buffer) = server.read(vec![0; 8], 0..8).await;
    assert_eq!(&buffer[..read.expect("it was sent")], b"ping");
}

#[test]
fn epoll_can_be_forced() {
    let mut command = again("driver", &[]);
    command.env("MONOIO_FORCE_LEGACY_DRIVER", "1");
    let text = output(command);
    assert!(text.contains("driver=epoll"), "{text}");
}

/// A seccomp filter, as containers have it: `io_uring_setup` (425) fails with EPERM, all else passes.
const REFUSE_RING: &str = r#"
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]
filter = Filter(len(rules), ctypes.cast(program, ctypes.c_void_p))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(filter), 0, 0):
    sys.exit("no filter: errno %d" % ctypes.get_errno())
os.execv(sys.argv[1], sys.argv[1:])
"#;

#[test]
fn where_the_ring_is_refused_epoll_serves() {
    if Command::new("python3").arg("-c").arg("import ctypes").output().is_err() {
        println!("no python3 to install a seccomp filter with: only the forced fallback was tested");
        return;
    }
    let text = output(again("driver", &["python3", "-c", REFUSE_RING]));
    assert!(text.contains("driver=epoll"), "{text}");
}
