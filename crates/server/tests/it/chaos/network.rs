//! A network of the test's own, with one link on which packets are late and get lost.
//!
//! The link is a device whose other end is this program: what is sent to [`THERE`] comes back from [`THERE`], addressed
//! to [`HERE`], so that a connection to a port over there is one to the same port over here that has gone through our
//! hands, both ways. Kernels without `netem` can do that too, and all of it is gone with the process.

use std::{
    collections::VecDeque,
    fs::File,
    net::Ipv4Addr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use nix::sched::{CloneFlags, unshare};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tun_rs::{AsyncDevice, DeviceBuilder};

/// Where servers of the link listen, from a range for measurements that no other network has (RFC 2544).
pub const HERE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// Where their clients find them.
pub const THERE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// The longest packet.
const MTU: u16 = 1500;
/// Packets on their way at once; more are lost.
const MOST_WAITING: usize = 2000;
/// How late packets are, each way, before chance.
const DELAY: Duration = Duration::from_millis(60);
/// How much of that chance adds at most.
const JITTER_US: u64 = 40_000;
/// Of how many packets one is lost.
const ONE_LOST_OF: u64 = 10;

/// The link; good as long as nobody makes it bad.
pub struct Link {
    state: Arc<State>,
    carrier: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    /// Packets are delayed and lost.
    bad: AtomicBool,
    delayed: AtomicU64,
    lost: AtomicU64,
}

impl Link {
    fn open() -> Result<Self, String> {
        let device = DeviceBuilder::new().ipv4(HERE, 30, None).mtu(MTU).build_async();
        let device = device.map_err(|error| format!("no network device: {error}"))?;
        let state = Arc::new(State::default());
        let carrier = tokio::spawn(carry(device, state.clone()));
        Ok(Self { state, carrier })
    }

    /// Delays and loses packets from now on.
    pub fn spoil(&self) {
        self.state.bad.store(true, Ordering::SeqCst);
    }

    /// Carries every packet at once again; tells how many were late and lost since the beginning.
    pub fn mend(&self) -> (u64, u64) {
        self.state.bad.store(false, Ordering::SeqCst);
        (self.state.delayed.load(Ordering::SeqCst), self.state.lost.load(Ordering::SeqCst))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// Runs `work` in a network of its own with a link, or without one where that is not possible, saying why.
pub fn run_apart<W>(work: W)
where
    W: AsyncFn(Result<Link, String>) + Send + Clone + 'static,
{
    let apart = work.clone();
    // A network belongs to a thread and those that it starts.
    let hindrance = in_thread(move || -> Result<(), String> {
        enter()?;
        let runtime = runtime();
        // Before anything else has begun, so that it can be begun elsewhere.
        let link = runtime.block_on(async { Link::open() })?;
        runtime.block_on(apart(Ok(link)));
        Ok(())
    });
    if let Err(why) = hindrance {
        in_thread(move || runtime().block_on(work(Err(why))));
    }
}

fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Leaves the machine's network for an empty one with nothing but a loopback.
fn enter() -> Result<(), String> {
    let device = File::options().read(true).write(true).open("/dev/net/tun");
    device.map_err(|error| format!("no network devices (/dev/net/tun: {error})"))?;
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|error| format!("no right to a network of our own: {error}"))?;
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).output();
    match up {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("no loopback: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("`ip` (of iproute2) is missing: {error}")),
    }
}

async fn carry(device: AsyncDevice, state: Arc<State>) {
    let mut buffer = [0; MTU as usize];
    let mut waiting: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    loop {
        let next = waiting.front().map(|(due, _)| *due);
        tokio::select! {
            read = device.recv(&mut buffer) => {
                let Ok(length) = read else { return };
                let Some(packet) = turned(&buffer[..length]) else { continue };
                let bad = state.bad.load(Ordering::SeqCst);
                let unlucky = bad && rand::random::<u64>().is_multiple_of(ONE_LOST_OF);
                if unlucky || waiting.len() >= MOST_WAITING {
                    state.lost.fetch_add(1, Ordering::SeqCst);
                } else if bad || !waiting.is_empty() {
                    state.delayed.fetch_add(1, Ordering::SeqCst);
                    let late = if bad { delay() } else { Duration::ZERO };
                    let due = Instant::now() + late;
                    // None overtakes another.
                    let last = waiting.back().map_or(due, |(last, _)| *last);
                    waiting.push_back((due.max(last), packet));
                } else {
                    // What the device does not take is lost, as on any network.
                    let _ = device.send(&packet).await;
                }
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                if let Some((_, packet)) = waiting.pop_front() {
                    let _ = device.send(&packet).await;
                }
            }
        }
    }
}

fn delay() -> Duration {
    DELAY + Duration::from_micros(rand::random::<u64>() % JITTER_US)
}

/// The packet with its source and destination exchanged; checksums stay right, for they are sums. None for what is not
/// of version 4.
fn turned(packet: &[u8]) -> Option<Vec<u8>> {
    if packet.len() < 20 || packet[0] >> 4 != 4 {
        return None;
    }
    let mut turned = packet.to_vec();
    turned[12..16].copy_from_slice(&packet[16..20]);
    turned[16..20].copy_from_slice(&packet[12..16]);
    Some(turned)
}
