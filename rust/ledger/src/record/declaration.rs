//! What was laid down before anything was drawn?
//!
//! The reader of declaration.json: the lottery's rules, the keys, and the sources of chance of every round. Linear.

use crate::bundle::{self, constant, fields, int, list, lottery_rules, text, Declaration};
use crate::canonical::{Value, INT_LIMIT};
use crate::hash::{digest, Digest};
use crate::record::files::MOST_ROUND;
use crate::rules::{HOUSEHOLD, MUST_SIT};
use crate::source::{sources, Source};
use crate::{ed25519, envelope};
use crate::{refuse, Fault};

/// The most characters of a draw's id.
const MOST_ID: usize = 60;
/// The most keys.
const MOST_KEYS: usize = 10;
/// The most that a gap may be, in millionths.
const MOST_TOLERANCE: i64 = 1_000_000_000;
/// A day and a year, in seconds.
const NOTICE: (i64, i64) = (86_400, 31_536_000);
/// The least denominator of a record.
const LEAST_DENOMINATOR: i64 = 1_000_000;

/// A key that may sign.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// SHA-256 of the key.
    pub keyid: Digest,
    /// The key.
    pub key: [u8; 32],
    /// Whether it is an organiser's.
    pub organiser: bool,
}

/// The rules of a draw.
#[derive(Debug)]
pub struct Declared {
    /// Features, quotas, sizes, objective: as for any lottery.
    pub lottery: Declaration,
    /// The draw's id.
    pub draw: String,
    /// People who have a seat for certain.
    pub must_sit: i64,
    /// By the keys' SHA-256, rising.
    pub keys: Vec<Key>,
    /// t, how many signatures an entry needs.
    pub threshold: usize,
    /// The most that the certificate's gap may be, in millionths.
    pub tolerance: i64,
    /// How many seconds before the first randomness a commitment must stand.
    pub notice: i64,
    /// The sources of each round: those of round 0, then the calendar's.
    pub sources: Vec<Vec<Source>>,
    /// The sources of round 0 with the fallback in its place, if there is one.
    pub fallback: Option<Vec<Source>>,
}

impl Declared {
    /// log10(M).
    pub fn digits(&self) -> u32 {
        self.lottery.denominator.unsigned_abs().ilog10()
    }

    /// The time of a round's declared beacon, where others are drawn beside it: they are read before.
    pub fn read_before(&self, round: usize) -> Option<i64> {
        let sources = self
            .sources
            .get(round)
            .filter(|sources| sources.len() > 1)?;
        let mut drand = sources.iter().filter(|source| is_drand(source));
        drand.next().map(Source::time)
    }

    /// The sources of a round that are no beacon.
    pub fn read_out(&self, round: usize) -> Vec<Source> {
        let sources = self.asked(round, false).iter();
        sources
            .filter(|source| !is_drand(source))
            .cloned()
            .collect()
    }

    /// The sources that a draw must answer. A fallback that is not there changes nothing here.
    pub fn asked(&self, round: usize, fallback: bool) -> &[Source] {
        match &self.fallback {
            Some(replaced) if fallback && round == 0 => replaced,
            _ => self.sources.get(round).map_or(&[], Vec::as_slice),
        }
    }
}

fn is_drand(source: &Source) -> bool {
    matches!(source, Source::Drand { .. })
}

/// Reads declaration.json.
pub fn read(value: &Value) -> Result<Declared, Fault> {
    let [algorithm, calendar, denominator, draw, fallback, features, format, household, keys, must_sit, notice, objective, organiser, people, protocol, question, sequence, size, first, threshold, title, tolerance] =
        fields(
            value,
            [
                "algorithm",
                "calendar",
                "denominator",
                "draw",
                "fallback",
                "features",
                "format",
                "household",
                "keys",
                "must_sit",
                "notice",
                "objective",
                "organiser",
                "people",
                "protocol",
                "question",
                "sequence",
                "size",
                "sources",
                "threshold",
                "title",
                "tolerance",
            ],
        )?;
    constant(format, "klero-record/1")?;
    constant(protocol, "klero-draw/1")?;
    let lottery = lottery_rules(bundle::LotteryFields {
        algorithm,
        denominator,
        features,
        household,
        objective,
        people,
        size,
    })?;
    plain(&lottery)?;
    int(sequence, 1, INT_LIMIT)?;
    text(question)?;
    for given in [organiser, title] {
        if text(given)?.is_empty() {
            refuse!("the organiser or the title is empty");
        }
    }
    let keys = self::keys(keys)?;
    let threshold = index_from(threshold, 2, keys.len())?;
    let digits = lottery.denominator.unsigned_abs().ilog10();
    let (sources, fallback) = chances(first, calendar, fallback, digits)?;
    Ok(Declared {
        must_sit: int(must_sit, 0, lottery.size)?,
        lottery,
        draw: id(draw)?,
        keys,
        threshold,
        tolerance: int(tolerance, 0, MOST_TOLERANCE)?,
        notice: int(notice, NOTICE.0, NOTICE.1)?,
        sources,
        fallback,
    })
}

/// What a record asks of the lottery's rules beyond what any lottery does.
fn plain(lottery: &Declaration) -> Result<(), Fault> {
    if lottery.denominator < LEAST_DENOMINATOR {
        refuse!("the denominator is below {LEAST_DENOMINATOR}");
    }
    for (name, values) in &lottery.features {
        if name == HOUSEHOLD || name == MUST_SIT {
            refuse!("«{name}» is a feature of the rules' own and can't be declared");
        }
        if values.is_empty() {
            refuse!("the feature «{name}» has no values");
        }
    }
    Ok(())
}

fn id(value: &Value) -> Result<String, Fault> {
    let id = text(value)?;
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if id.is_empty() || id.len() > MOST_ID || !id.bytes().all(allowed) {
        refuse!("the id of a draw is 1 to {MOST_ID} characters of a–z, 0–9 and -");
    }
    Ok(id.to_owned())
}

fn index_from(value: &Value, low: usize, high: usize) -> Result<usize, Fault> {
    let found = bundle::index(value, high.saturating_add(1))?;
    if found < low {
        refuse!("{found} is below {low}");
    }
    Ok(found)
}

fn keys(value: &Value) -> Result<Vec<Key>, Fault> {
    let mut keys: Vec<([u8; 32], bool)> = Vec::new();
    for item in list(value)? {
        let [key, name, role] = fields(item, ["key", "name", "role"])?;
        let number = keys.len();
        let Some(key) = digest(text(key)?).filter(ed25519::is_key) else {
            refuse!("key {number}: no Ed25519 public key in 64 hexadecimal digits");
        };
        let role = text(role)?;
        if text(name)?.is_empty() || !["guarantor", "organiser", "witness"].contains(&role) {
            refuse!("key {number}: a name and the role guarantor, organiser or witness are needed");
        }
        if keys.last().is_some_and(|(last, _)| *last >= key) {
            refuse!("keys are twice there or not sorted");
        }
        keys.push((key, role == "organiser"));
    }
    if !(2..=MOST_KEYS).contains(&keys.len()) {
        refuse!("{} keys: 2 to {MOST_KEYS} are allowed", keys.len());
    }
    if keys.iter().all(|(_, organiser)| *organiser) {
        refuse!("all keys are the organiser's");
    }
    let named = keys.into_iter().map(|(key, organiser)| Key {
        keyid: envelope::keyid(&key),
        key,
        organiser,
    });
    let mut named: Vec<Key> = named.collect();
    named.sort_unstable();
    Ok(named)
}

type Chances = (Vec<Vec<Source>>, Option<Vec<Source>>);

/// The sources of all rounds, and those of round 0 with the fallback instead.
fn chances(
    first: &Value,
    calendar: &Value,
    fallback: &Value,
    digits: u32,
) -> Result<Chances, Fault> {
    let calendar = list(calendar)?;
    if calendar.len() > MOST_ROUND {
        refuse!("more than {MOST_ROUND} rounds are in the calendar");
    }
    let rounds = std::iter::once(first).chain(calendar);
    let rounds = rounds.map(|round| sources(round, digits));
    let rounds = rounds.collect::<Result<Vec<_>, _>>()?;
    if list(fallback)?.is_empty() {
        return Ok((rounds, None));
    }
    let instead = sources(fallback, digits)?;
    let [Source::Drand { chain: other, .. }] = instead.as_slice() else {
        refuse!("the fallback is not one drand source");
    };
    let mut replaced = rounds[0].clone();
    let drand = replaced.iter_mut().find_map(|source| match source {
        Source::Drand { chain, .. } => Some((*chain, source)),
        _ => None,
    });
    let Some((chain, source)) = drand else {
        refuse!("there is a fallback and no drand source for it");
    };
    if chain == *other {
        refuse!("the fallback is of the same chain as the round that it stands in for");
    }
    if source.time() >= instead[0].time() {
        refuse!("the fallback is not later than the round that it stands in for");
    }
    source.clone_from(&instead[0]);
    Ok((rounds, Some(replaced)))
}
