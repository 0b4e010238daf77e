//! Where does the chance come from, and what seeds do the numbers shown give?
//!
//! A declaration lists sources (balls, dice, a beacon's round, a public lottery's draws) and a draw answers each with a reveal, as
//! `docs/audit/protocol.md` sets out; texts for lotteries are those of RFC 3797. Each reveal becomes a value of 32 bytes. The seed of the
//! tickets mixes all of them; the seed of the position leaves out the balls, whose number is added to the position instead: so the position
//! is exactly uniform if the balls are, whatever is known of the rest, and as good as uniform if any other source is.
//!
//! A list must have 2^64 outcomes at least, counted exactly. Where a beacon is in it, all else is drawn before its round is known: whoever
//! draws last could choose. Whether a beacon's signature is right is for [`Reveal::verify`]. Linear.

use num_bigint::BigUint;
use num_traits::One;

use crate::beacon::{chain, Chain};
use crate::bundle::{fields, int, list, rising, text};
use crate::canonical::{Value, INT_LIMIT};
use crate::hash::{digest, seq, sha256, unhex, Digest};
use crate::time;
use crate::{refuse, Fault};

/// The most balls with a digit.
pub const MOST_BALLS: u32 = 60;
/// The most rolls of dice.
pub const MOST_ROLLS: u32 = 200;
/// The most draws of one lottery, and the most numbers of one draw.
pub const MOST_DRAWS: u32 = 20;
/// The highest number of a lottery.
pub const MOST_NUMBER: u32 = 999;
/// The base-2 logarithm of the outcomes that a list of sources must have.
pub const LEAST_BITS: u32 = 64;

/// A declared source of chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Balls that show one decimal digit each, put back after each.
    Balls {
        /// How many are drawn.
        digits: u32,
        /// When.
        time: i64,
    },
    /// Dice with six sides.
    Dice {
        /// How many rolls.
        rolls: u32,
        /// When.
        time: i64,
    },
    /// A round of a drand beacon.
    Drand {
        /// Which one.
        chain: &'static Chain,
        /// Its round, from 2.
        round: i64,
    },
    /// The draws of a public lottery.
    Lottery {
        /// What is drawn, one drum after the other.
        draws: Vec<Drum>,
        /// When.
        time: i64,
    },
}

/// One draw of a lottery: `count` different numbers from 1 to `most`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drum {
    /// c.
    pub count: u32,
    /// m.
    pub most: u32,
    /// What the lottery calls it.
    pub name: String,
}

impl Source {
    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Balls { .. } => "balls",
            Self::Dice { .. } => "dice",
            Self::Drand { .. } => "drand",
            Self::Lottery { .. } => "lottery",
        }
    }

    /// The Unix time at which it is drawn.
    pub fn time(&self) -> i64 {
        match self {
            Self::Balls { time, .. } | Self::Dice { time, .. } | Self::Lottery { time, .. } => {
                *time
            }
            // A declared round is below 2^53: its time can be computed.
            Self::Drand { chain, round } => chain.time(*round).unwrap_or(i64::MAX),
        }
    }

    /// How many outcomes it has.
    pub fn outcomes(&self) -> BigUint {
        match self {
            Self::Balls { digits, .. } => BigUint::from(10_u32).pow(*digits),
            Self::Dice { rolls, .. } => BigUint::from(6_u32).pow(*rolls),
            Self::Drand { .. } => BigUint::one() << 256_u32,
            Self::Lottery { draws, .. } => draws.iter().map(Drum::outcomes).product(),
        }
    }
}

impl Drum {
    /// The binomial C(m, c).
    fn outcomes(&self) -> BigUint {
        // Each step is a binomial itself, so that no division leaves a remainder.
        (0..self.count).fold(BigUint::one(), |ways, i| {
            ways * self.most.saturating_sub(i) / (i + 1)
        })
    }
}

/// Reads a list of sources: at least one, kinds rising, with 2^64 outcomes or more, all others before a beacon's round.
/// `digits_of_m` is log10(M).
pub fn sources(value: &Value, digits_of_m: u32) -> Result<Vec<Source>, Fault> {
    let found = list(value)?
        .iter()
        .map(|item| source(item, digits_of_m))
        .collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        refuse!("a list of sources is empty");
    }
    let kinds: Vec<&str> = found.iter().map(Source::kind).collect();
    rising(&kinds, "kinds of sources")?;
    let outcomes: BigUint = found.iter().map(Source::outcomes).product();
    if outcomes.bits() <= u64::from(LEAST_BITS) {
        refuse!(
            "the sources ({}) have fewer than 2^{LEAST_BITS} outcomes together",
            kinds.join(", ")
        );
    }
    let last = found.iter().find(|source| source.kind() == "drand");
    if let Some(last) = last {
        let late = found
            .iter()
            .find(|source| *source != last && source.time() >= last.time());
        if let Some(late) = late {
            refuse!(
                "the source «{}» is drawn at {}, which is not before the beacon's round at {}",
                late.kind(),
                time::write(late.time()),
                time::write(last.time())
            );
        }
    }
    Ok(found)
}

fn source(value: &Value, digits_of_m: u32) -> Result<Source, Fault> {
    match kind(value)? {
        "balls" => {
            let [digits, _, time] = fields(value, ["digits", "kind", "time"])?;
            let digits = small(digits, digits_of_m.max(1), MOST_BALLS)?;
            Ok(Source::Balls {
                digits,
                time: time::parse(text(time)?)?,
            })
        }
        "dice" => {
            let [_, rolls, time] = fields(value, ["kind", "rolls", "time"])?;
            let rolls = small(rolls, 1, MOST_ROLLS)?;
            Ok(Source::Dice {
                rolls,
                time: time::parse(text(time)?)?,
            })
        }
        "drand" => {
            let [name, _, round] = fields(value, ["chain", "kind", "round"])?;
            let Some(chain) = chain(text(name)?) else {
                refuse!("there is no such drand chain")
            };
            let round = int(round, 2, INT_LIMIT - 1)?;
            Ok(Source::Drand { chain, round })
        }
        "lottery" => {
            let [draws, _, time] = fields(value, ["draws", "kind", "time"])?;
            let draws = list(draws)?;
            if draws.is_empty() || draws.len() > MOST_DRAWS as usize {
                refuse!(
                    "a lottery has {} draws: 1 to {MOST_DRAWS} are allowed",
                    draws.len()
                );
            }
            Ok(Source::Lottery {
                draws: draws.iter().map(drum).collect::<Result<_, _>>()?,
                time: time::parse(text(time)?)?,
            })
        }
        _ => refuse!("a source is of the kind balls, dice, drand or lottery"),
    }
}

fn drum(value: &Value) -> Result<Drum, Fault> {
    let [count, most, name] = fields(value, ["count", "most", "name"])?;
    let most = small(most, 2, MOST_NUMBER)?;
    let count = small(count, 1, MOST_DRAWS.min(most - 1))?;
    let name = text(name)?;
    if name.is_empty() {
        refuse!("a lottery's draw without a name");
    }
    Ok(Drum {
        count,
        most,
        name: name.to_owned(),
    })
}

/// The kind that an object says it is of.
fn kind(value: &Value) -> Result<&str, Fault> {
    let Value::Map(map) = value else {
        refuse!("an object is expected")
    };
    match map.get("kind") {
        Some(kind) => text(kind),
        None => refuse!("an object without its field «kind»"),
    }
}

fn small(value: &Value, low: u32, high: u32) -> Result<u32, Fault> {
    let found = int(value, i64::from(low), i64::from(high))?;
    u32::try_from(found).map_err(|e| Fault(e.to_string()))
}

/// What a source showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reveal {
    /// The digits in the order drawn.
    Balls(String),
    /// The digits 1 to 6 in the order rolled.
    Dice(String),
    /// A round's signature.
    Drand {
        /// Of which beacon.
        chain: &'static Chain,
        /// Of which round.
        round: i64,
        /// The signature before, where the chain signs it along.
        previous: Vec<u8>,
        /// The signature.
        signature: Vec<u8>,
    },
    /// The numbers of each draw, rising.
    Lottery(Vec<Vec<i64>>),
}

/// Reads what each of these sources showed, in their order. A beacon's signature has its length, but need not be right.
pub fn reveals(value: &Value, sources: &[Source]) -> Result<Vec<Reveal>, Fault> {
    let items = list(value)?;
    if items.len() != sources.len() {
        refuse!("{} reveals for {} sources", items.len(), sources.len());
    }
    let pairs = items.iter().zip(sources);
    pairs.map(|(item, source)| reveal(item, source)).collect()
}

fn reveal(value: &Value, source: &Source) -> Result<Reveal, Fault> {
    if kind(value)? != source.kind() {
        refuse!("a reveal of another kind than «{}»", source.kind());
    }
    match source {
        Source::Balls { digits, .. } => {
            let [shown, _] = fields(value, ["digits", "kind"])?;
            Ok(Reveal::Balls(run(text(shown)?, *digits, b'0'..=b'9')?))
        }
        Source::Dice { rolls, .. } => {
            let [shown, _] = fields(value, ["digits", "kind"])?;
            Ok(Reveal::Dice(run(text(shown)?, *rolls, b'1'..=b'6')?))
        }
        Source::Drand { chain, round } => {
            let [_, previous, number, signature] =
                fields(value, ["kind", "previous_signature", "round", "signature"])?;
            if *number != Value::Int(*round) {
                refuse!("a beacon's round that is not the declared one, {round}");
            }
            Ok(Reveal::Drand {
                chain,
                round: *round,
                previous: bytes(previous, chain.previous_bytes())?,
                signature: bytes(signature, chain.signature_bytes())?,
            })
        }
        Source::Lottery { draws, .. } => {
            let [_, numbers] = fields(value, ["kind", "numbers"])?;
            let numbers = list(numbers)?;
            if numbers.len() != draws.len() {
                refuse!(
                    "{} draws are shown, {} declared",
                    numbers.len(),
                    draws.len()
                );
            }
            let pairs = numbers.iter().zip(draws);
            let drawn = pairs.map(|(shown, drum)| drawn(shown, drum));
            Ok(Reveal::Lottery(drawn.collect::<Result<_, _>>()?))
        }
    }
}

fn run(text: &str, count: u32, allowed: std::ops::RangeInclusive<u8>) -> Result<String, Fault> {
    let good = text.len() == count as usize && text.bytes().all(|byte| allowed.contains(&byte));
    if !good {
        let (first, last) = (char::from(*allowed.start()), char::from(*allowed.end()));
        refuse!("{count} digits from {first} to {last} are to be shown");
    }
    Ok(text.to_owned())
}

fn bytes(value: &Value, count: usize) -> Result<Vec<u8>, Fault> {
    match unhex(text(value)?) {
        Some(bytes) if bytes.len() == count => Ok(bytes),
        _ => refuse!(
            "{} hexadecimal digits in lower case are expected",
            2 * count
        ),
    }
}

fn drawn(value: &Value, drum: &Drum) -> Result<Vec<i64>, Fault> {
    let numbers = list(value)?
        .iter()
        .map(|number| int(number, 1, i64::from(drum.most)))
        .collect::<Result<Vec<_>, _>>()?;
    if numbers.len() != drum.count as usize {
        refuse!(
            "{} numbers are shown, {} declared",
            numbers.len(),
            drum.count
        );
    }
    rising(&numbers, "the numbers of a draw")?;
    Ok(numbers)
}

impl Reveal {
    /// Its value, which the seeds are made of.
    pub fn value(&self) -> Digest {
        match self {
            Self::Balls(digits) => seq("klero/source/balls/v1", &[digits]),
            Self::Dice(digits) => seq("klero/source/dice/v1", &[digits]),
            Self::Drand {
                chain,
                round,
                signature,
                ..
            } => {
                let chain = digest(chain.name).unwrap_or_default();
                let (round, signature) = (round.to_string(), sha256(signature));
                let items = [chain.as_slice(), round.as_bytes(), &signature];
                seq("klero/source/drand/v1", &items)
            }
            Self::Lottery(numbers) => seq("klero/source/lottery/v1", &[lottery_text(numbers)]),
        }
    }

    /// Whether the beacon's signature is right; `None` for a reveal without one.
    pub fn verify(&self) -> Option<bool> {
        match self {
            Self::Drand {
                chain,
                round,
                previous,
                signature,
            } => Some(chain.verify(*round, previous, signature)),
            _ => None,
        }
    }
}

/// RFC 3797's text of drawn numbers: `.` after each, `/` after each draw.
fn lottery_text(draws: &[Vec<i64>]) -> String {
    let mut text = String::new();
    for draw in draws {
        for number in draw {
            text.push_str(&number.to_string());
            text.push('.');
        }
        text.push('/');
    }
    text
}

/// What a draw starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds {
    /// S_0, from which x comes: of all reveals but the balls.
    pub index: Digest,
    /// S, the record's `seed`: of all reveals.
    pub tickets: Digest,
    /// b, the number on the first log10(M) balls; 0 without balls.
    pub balls: i64,
}

/// The seeds that a commitment's hash and the reveals give. `digits_of_m` is log10(M), at most 18.
pub fn seeds(commitment: &Digest, reveals: &[Reveal], digits_of_m: u32) -> Seeds {
    let mut index = vec![*commitment];
    let mut tickets = vec![*commitment];
    let mut balls = 0;
    for reveal in reveals {
        tickets.push(reveal.value());
        if let Reveal::Balls(digits) = reveal {
            let first = digits.bytes().take(digits_of_m.min(18) as usize);
            balls = first.fold(0, |sum, digit| {
                sum * 10 + i64::from(digit.saturating_sub(b'0'))
            });
        } else {
            index.push(reveal.value());
        }
    }
    Seeds {
        index: seq("klero/seed/index/v1", &index),
        tickets: seq("klero/seed/tickets/v1", &tickets),
        balls,
    }
}

#[cfg(test)]
mod tests;
