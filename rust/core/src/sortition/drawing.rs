//! How often does a random procedure seat each person? Many draws, each with random numbers of its own, shared out between threads.
//!
//! Draw j uses the stream of number j alone, and totals are sums: the number of threads changes nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::stream::Stream;

/// Draws that a thread takes at a time.
const CHUNK: u64 = 16;

/// One thread's means to draw panels.
pub trait Drawer {
    /// One attempt; whether it gave a panel, which is then in [`Drawer::panel`].
    fn attempt(&mut self, stream: &mut Stream) -> bool;
    /// The people of the last panel, in any order.
    fn panel(&self) -> &[u32];
}

/// What is to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The key of all streams.
    pub key: &'a [u8; 32],
    /// The number of the first draw.
    pub first: u64,
    /// How many draws.
    pub draws: u64,
    /// Attempts after which a draw is given up.
    pub most_attempts: u64,
    /// Threads, 1 or more.
    pub threads: usize,
    /// Whether to keep the panels.
    pub keep: bool,
}

/// What the draws came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// How many draws seated each person.
    pub hits: Vec<u64>,
    /// Attempts that failed, over all draws.
    pub restarts: u64,
    /// The panels of all draws (people, rising), if they were asked for.
    pub panels: Vec<Vec<u32>>,
}

/// Why there is no tally.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// A draw failed too often.
    #[error("draw {draw} failed {attempts} times")]
    Stuck {
        /// The first draw that failed so often.
        draw: u64,
        /// How often it was tried.
        attempts: u64,
    },
    /// The caller stopped listening.
    #[error("interrupted")]
    Interrupted,
}

#[derive(Default)]
struct Part {
    hits: Vec<u64>,
    restarts: u64,
    kept: Vec<(u64, Vec<u32>)>,
    stuck: Option<u64>,
}

/// What the threads share.
struct Shared {
    next: AtomicU64,
    stop: AtomicBool,
    /// The lowest draw known to be stuck: those above it need not be made, those below are, so that the lowest is named.
    stuck: AtomicU64,
}

/// Makes the draws. `drawer` gives each thread its means; `alive` is asked now and then, and when it says no the work stops.
///
/// # Errors
/// [`DrawError::Stuck`] for the lowest draw that fails too often; [`DrawError::Interrupted`].
pub fn tally<D: Drawer>(
    drawer: &(dyn Fn() -> D + Sync),
    people: usize,
    order: Order<'_>,
    alive: &dyn Fn() -> bool,
) -> Result<Tally, DrawError> {
    let shared = Shared {
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        stuck: AtomicU64::new(u64::MAX),
    };
    let (sender, receiver) = mpsc::channel();
    let parts = std::thread::scope(|scope| {
        for _ in 0..order.threads.max(1) {
            let sender = sender.clone();
            let shared = &shared;
            scope.spawn(move || {
                // The receiver outlives the threads; a failure here would only mean that nobody waits.
                let _ = sender.send(work(drawer(), people, order, shared));
            });
        }
        drop(sender);
        let mut parts = Vec::new();
        loop {
            match receiver.recv_timeout(Duration::from_millis(20)) {
                Ok(part) => parts.push(part),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if !alive() {
                        shared.stop.store(true, Ordering::Relaxed);
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break parts,
            }
        }
    });
    if shared.stop.into_inner() {
        return Err(DrawError::Interrupted);
    }
    joined(parts, people, order)
}

fn joined(parts: Vec<Part>, people: usize, order: Order<'_>) -> Result<Tally, DrawError> {
    if let Some(draw) = parts.iter().filter_map(|p| p.stuck).min() {
        return Err(DrawError::Stuck {
            draw,
            attempts: order.most_attempts,
        });
    }
    let (mut hits, mut restarts, mut kept) = (vec![0; people], 0, Vec::new());
    for part in parts {
        restarts += part.restarts;
        for (total, more) in hits.iter_mut().zip(part.hits) {
            *total += more;
        }
        kept.extend(part.kept);
    }
    kept.sort_unstable();
    Ok(Tally {
        hits,
        restarts,
        panels: kept.into_iter().map(|(_, panel)| panel).collect(),
    })
}

fn work(mut drawer: impl Drawer, people: usize, order: Order<'_>, shared: &Shared) -> Part {
    let mut part = Part {
        hits: vec![0; people],
        ..Part::default()
    };
    let mut stream = Stream::new(order.key, order.first);
    loop {
        let start = shared.next.fetch_add(CHUNK, Ordering::Relaxed);
        for draw in order.first + start..order.first + (start + CHUNK).min(order.draws) {
            if draw > shared.stuck.load(Ordering::Relaxed) {
                return part;
            }
            stream.restart(draw);
            let mut attempts = 0;
            while !drawer.attempt(&mut stream) {
                attempts += 1;
                if shared.stop.load(Ordering::Relaxed) {
                    return part;
                }
                if attempts == order.most_attempts {
                    shared.stuck.fetch_min(draw, Ordering::Relaxed);
                    part.stuck = Some(draw);
                    return part;
                }
            }
            part.restarts += attempts;
            for &i in drawer.panel() {
                part.hits[i as usize] += 1;
            }
            if order.keep {
                let mut panel = drawer.panel().to_vec();
                panel.sort_unstable();
                part.kept.push((draw, panel));
            }
        }
        if start + CHUNK >= order.draws || shared.stop.load(Ordering::Relaxed) {
            return part;
        }
    }
}
