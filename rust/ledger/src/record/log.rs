//! What was signed, one after the other, and may each follow the one before?
//!
//! The reader of the entries' payloads, with the form of every body but the reveals', and the order of the log. Linear.

use std::collections::BTreeSet;

use crate::bundle::{constant, fields, index, int, list, rising, text};
use crate::canonical::{Value, INT_LIMIT};
use crate::envelope::{from_base64, Envelope};
use crate::hash::{digest, hex, seq, Digest};
use crate::record::declaration::Declared;
use crate::record::files::{entry_name, in_file, MOST_ROUND};
use crate::record::summary;
use crate::time;
use crate::{refuse, Fault};

/// Why somebody withdrew.
const CODES: [&str; 4] = ["declined", "ineligible", "other", "unreachable"];

/// The entry hash of a payload.
pub fn entry_hash(payload: &[u8]) -> Digest {
    seq("klero/entry/v1", &[payload])
}

/// The log.
#[derive(Debug)]
pub struct Log {
    /// Its entries; their number is the place + 1.
    pub entries: Vec<Entry>,
    /// The rounds that were committed, in their order. Not every date of the calendar has one.
    pub rounds: Vec<Round>,
}

/// Where a round stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// R.
    pub number: usize,
    /// The place of its commitment.
    pub commitment: usize,
    /// That of its reading, if there is one.
    pub reading: Option<usize>,
    /// That of its draw, if it is drawn.
    pub draw: Option<usize>,
}

/// One entry.
#[derive(Debug)]
pub struct Entry {
    /// When it says it was made.
    pub time: i64,
    /// Its entry hash.
    pub hash: Digest,
    /// What it says.
    pub body: Body,
}

/// What an entry says.
#[derive(Debug)]
pub enum Body {
    /// A round is settled.
    Commitment(Commitment),
    /// What a round's sources but the beacon showed.
    Reading(Reading),
    /// A round is drawn.
    Draw(Drawn),
    /// Leaves that no longer take part, rising.
    Withdrawals(Vec<Digest>),
    /// A token over the entry at this place.
    Timestamp {
        /// The place of the entry.
        entry: usize,
        /// The token.
        token: Vec<u8>,
    },
    /// Nothing follows.
    Abort,
}

/// A cell, and its minimum and maximum.
pub type Quota = (usize, (i64, i64));

/// The body of a commitment.
#[derive(Debug)]
pub struct Commitment {
    /// R.
    pub round: usize,
    /// The digest of the auditor's files.
    pub auditor: Digest,
    /// That of the declaration.
    pub declaration: Digest,
    /// The root over the leaves.
    pub leaves: Digest,
    /// Cells with their bounds in this round.
    pub loosened: Vec<Quota>,
    /// The summary as it stands there.
    pub summary: Value,
}

/// The body of a reading.
#[derive(Debug)]
pub struct Reading {
    /// R.
    pub round: usize,
    /// The reveals as they stand there.
    pub reveals: Value,
}

/// The body of a draw.
#[derive(Debug)]
pub struct Drawn {
    /// R.
    pub round: usize,
    /// Whether the fallback stands in.
    pub fallback: bool,
    /// The leaves drawn.
    pub panel: Vec<Digest>,
    /// The position.
    pub position: i64,
    /// How many numbers were rejected before it.
    pub rejected: i64,
    /// The reveals as they stand there.
    pub reveals: Value,
    /// S.
    pub seed: Digest,
}

impl Log {
    /// The commitments, by round.
    pub fn commitments(&self) -> impl Iterator<Item = (&Entry, &Commitment)> {
        self.rounds.iter().filter_map(|round| {
            let entry = &self.entries[round.commitment];
            match &entry.body {
                Body::Commitment(commitment) => Some((entry, commitment)),
                _ => None,
            }
        })
    }

    /// The reading of a round, if it has one.
    pub fn reading(&self, round: &Round) -> Option<&Reading> {
        match &self.entries[round.reading?].body {
            Body::Reading(reading) => Some(reading),
            _ => None,
        }
    }

    /// The draws, by round: of every round but perhaps the last.
    pub fn draws(&self) -> impl Iterator<Item = (&Entry, &Drawn)> {
        self.rounds.iter().filter_map(|round| {
            let entry = &self.entries[round.draw?];
            match &entry.body {
                Body::Draw(drawn) => Some((entry, drawn)),
                _ => None,
            }
        })
    }

    /// For each round, how many different leaves are withdrawn in entries before its commitment.
    pub fn withdrawn_before(&self) -> Vec<usize> {
        let (mut gone, mut counts) = (BTreeSet::<&Digest>::new(), Vec::new());
        for entry in &self.entries {
            match &entry.body {
                Body::Withdrawals(leaves) => gone.extend(leaves),
                Body::Commitment(_) => counts.push(gone.len()),
                _ => {}
            }
        }
        counts
    }

    /// Whether it ends with an abort.
    pub fn aborted(&self) -> bool {
        matches!(
            self.entries.last(),
            Some(Entry {
                body: Body::Abort,
                ..
            })
        )
    }

    /// Whether an entry of withdrawals stands between these places.
    fn withdrawals_after(&self, place: usize) -> bool {
        let after = self.entries.iter().skip(place + 1);
        after
            .into_iter()
            .any(|entry| matches!(entry.body, Body::Withdrawals(_)))
    }

    /// Refuses an entry that may not come next.
    fn follows(&self, declared: &Declared, body: &Body) -> Result<(), Fault> {
        if self.aborted() {
            refuse!("it follows an abort");
        }
        match (body, self.rounds.last()) {
            (Body::Commitment(next), None) if next.round == 0 => Ok(()),
            (_, None) => refuse!("the first entry is not the commitment of round 0"),
            (Body::Commitment(next), Some(last)) => {
                let round = next.round;
                if round <= last.number || last.draw.is_none() {
                    refuse!("the commitment of round {round} doesn't come after the draw of an earlier one");
                }
                if round >= declared.sources.len() {
                    refuse!("round {round} is not in the calendar");
                }
                if !self.withdrawals_after(last.commitment) {
                    refuse!("nobody withdrew after the commitment before that of round {round}");
                }
                Ok(())
            }
            (Body::Reading(next), Some(last)) => {
                if next.round != last.number || last.draw.is_some() || last.reading.is_some() {
                    refuse!("a reading of round {} doesn't come next", next.round);
                }
                if declared.read_before(next.round).is_none() {
                    refuse!("round {} has not a beacon and other sources", next.round);
                }
                Ok(())
            }
            (Body::Draw(next), Some(last)) => {
                if next.round != last.number || last.draw.is_some() {
                    refuse!("a draw of round {} doesn't come next", next.round);
                }
                if last.reading.is_some() != declared.read_before(next.round).is_some() {
                    refuse!("what is drawn beside the beacon of round {} was not read out in an entry before", next.round);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The check `log`: fields, number, previous, draw and order of every entry.
pub fn read(entries: &[(Envelope, Value)], declared: &Declared) -> Result<Log, Fault> {
    let mut log = Log {
        entries: Vec::with_capacity(entries.len()),
        rounds: Vec::new(),
    };
    for (place, (envelope, payload)) in entries.iter().enumerate() {
        let entry = entry(payload, &envelope.payload, place, &log, declared);
        let entry = entry.and_then(|entry| log.follows(declared, &entry.body).map(|()| entry));
        let entry = in_file(&entry_name(place + 1), entry)?;
        match (&entry.body, log.rounds.last_mut()) {
            (Body::Commitment(next), _) => log.rounds.push(Round {
                number: next.round,
                commitment: place,
                reading: None,
                draw: None,
            }),
            (Body::Reading(_), Some(round)) => round.reading = Some(place),
            (Body::Draw(_), Some(round)) => round.draw = Some(place),
            _ => {}
        }
        log.entries.push(entry);
    }
    Ok(log)
}

fn entry(
    payload: &Value,
    bytes: &[u8],
    place: usize,
    log: &Log,
    declared: &Declared,
) -> Result<Entry, Fault> {
    let [body, draw, format, kind, previous, sequence, time] = fields(
        payload,
        [
            "body", "draw", "format", "kind", "previous", "sequence", "time",
        ],
    )?;
    constant(format, "klero-entry/1")?;
    if text(draw)? != declared.draw {
        refuse!("it belongs to another draw");
    }
    if index(sequence, usize::MAX)? != place + 1 {
        refuse!("its `sequence` is not the number in its name");
    }
    let before = log
        .entries
        .last()
        .map_or(String::new(), |last| hex(&last.hash));
    if text(previous)? != before {
        refuse!("its `previous` is not the hash of the entry before");
    }
    Ok(Entry {
        time: time::parse(text(time)?)?,
        hash: entry_hash(bytes),
        body: match text(kind)? {
            "commitment" => Body::Commitment(commitment(body, declared)?),
            "reading" => Body::Reading(reading(body)?),
            "draw" => Body::Draw(drawn(body)?),
            "withdrawals" => Body::Withdrawals(withdrawals(body)?),
            "timestamp" => timestamp(body, place)?,
            "abort" => abort(body)?,
            _ => refuse!("there is no such kind of entry"),
        },
    })
}

/// 32 bytes in hexadecimal digits.
pub fn bytes32(value: &Value) -> Result<Digest, Fault> {
    let Some(found) = digest(text(value)?) else {
        refuse!("64 hexadecimal digits in lower case are expected");
    };
    Ok(found)
}

fn round(value: &Value) -> Result<usize, Fault> {
    index(value, MOST_ROUND + 1)
}

fn commitment(body: &Value, declared: &Declared) -> Result<Commitment, Fault> {
    let [auditor, declaration, leaves, loosened, round, summary] = fields(
        body,
        [
            "auditor",
            "declaration",
            "leaves",
            "loosened",
            "round",
            "summary",
        ],
    )?;
    summary::form(summary, declared.tolerance)?;
    let round = self::round(round)?;
    let loosened = self::loosened(loosened, declared)?;
    if round == 0 && !loosened.is_empty() {
        refuse!("quotas are loosened in round 0");
    }
    Ok(Commitment {
        round,
        auditor: bytes32(auditor)?,
        declaration: bytes32(declaration)?,
        leaves: bytes32(leaves)?,
        loosened,
        summary: summary.clone(),
    })
}

/// Cells in the declaration's order, each with bounds that are wider than the declared ones.
fn loosened(value: &Value, declared: &Declared) -> Result<Vec<Quota>, Fault> {
    let rules = &declared.lottery;
    let mut cells: Vec<Quota> = Vec::new();
    for item in list(value)? {
        let [feature, word, min, max] = list(item)? else {
            refuse!("an array of feature, value, min and max is expected");
        };
        let (feature, word) = (text(feature)?, text(word)?);
        let features = &rules.features;
        let named = features.binary_search_by(|(name, _)| name.as_str().cmp(feature));
        let cell = named.ok().and_then(|f| {
            let value = features[f]
                .1
                .binary_search_by(|value| value.as_str().cmp(word));
            value.ok().map(|value| rules.first_cell[f] + value)
        });
        let Some(cell) = cell else {
            refuse!("«{feature}» has no declared value «{word}»");
        };
        if cells.last().is_some_and(|(last, _)| *last >= cell) {
            refuse!("loosened quotas are twice there or not in the declaration's order");
        }
        let (low, high) = rules.bounds[cell];
        let max = int(max, 0, INT_LIMIT)?;
        let bounds = (int(min, 0, max)?, max);
        if bounds.0 > low || bounds.1 < high || bounds == (low, high) {
            refuse!("the quota of «{feature}» «{word}» is not wider than the declared one");
        }
        cells.push((cell, bounds));
    }
    Ok(cells)
}

fn reading(body: &Value) -> Result<Reading, Fault> {
    let [reveals, round] = fields(body, ["reveals", "round"])?;
    list(reveals)?;
    Ok(Reading {
        round: self::round(round)?,
        reveals: reveals.clone(),
    })
}

fn drawn(body: &Value) -> Result<Drawn, Fault> {
    let [fallback, panel, position, rejected, reveals, round, seed] = fields(
        body,
        [
            "fallback", "panel", "position", "rejected", "reveals", "round", "seed",
        ],
    )?;
    list(reveals)?;
    Ok(Drawn {
        round: self::round(round)?,
        fallback: match text(fallback)? {
            "no" => false,
            "yes" => true,
            _ => refuse!("`fallback` is neither no nor yes"),
        },
        panel: list(panel)?.iter().map(bytes32).collect::<Result<_, _>>()?,
        position: int(position, 0, INT_LIMIT)?,
        rejected: int(rejected, 0, INT_LIMIT)?,
        reveals: reveals.clone(),
        seed: bytes32(seed)?,
    })
}

fn withdrawals(body: &Value) -> Result<Vec<Digest>, Fault> {
    let [withdrawals] = fields(body, ["withdrawals"])?;
    let mut leaves = Vec::new();
    for item in list(withdrawals)? {
        let [leaf, code] = list(item)? else {
            refuse!("an array of leaf and code is expected");
        };
        if !CODES.contains(&text(code)?) {
            refuse!("a reason is one of {}", CODES.join(", "));
        }
        leaves.push(bytes32(leaf)?);
    }
    if leaves.is_empty() {
        refuse!("nobody withdraws");
    }
    rising(&leaves, "withdrawals")?;
    Ok(leaves)
}

fn timestamp(body: &Value, place: usize) -> Result<Body, Fault> {
    let [entry, token] = fields(body, ["entry", "token"])?;
    match index(entry, place + 1)?.checked_sub(1) {
        Some(entry) => Ok(Body::Timestamp {
            entry,
            token: from_base64(text(token)?)?,
        }),
        None => refuse!("entries are numbered from 1"),
    }
}

fn abort(body: &Value) -> Result<Body, Fault> {
    let [reason] = fields(body, ["reason"])?;
    if text(reason)?.is_empty() {
        refuse!("an abort without a reason");
    }
    Ok(Body::Abort)
}
