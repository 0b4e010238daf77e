//! Which files does the record have, and does each have one spelling only?
//!
//! The names and tiers of a record, and its documents. Linear; every file is parsed once.

use std::collections::{BTreeMap, BTreeSet};

use crate::canonical::{parse, Value};
use crate::envelope::{self, Envelope};
use crate::{refuse, Fault};

/// Names and contents.
pub type Files<'a> = BTreeMap<&'a str, &'a [u8]>;

/// A file has at most this many bytes.
pub const FILE_LIMIT: usize = 256 << 20;
/// A record has at most this many bytes.
pub const RECORD_LIMIT: usize = 1 << 30;
/// The highest number of an entry.
pub const MOST_ENTRIES: usize = 999;
/// The highest number of a round.
pub const MOST_ROUND: usize = 99;

/// The rules.
pub const DECLARATION: &str = "public/declaration.json";
/// The leaves.
pub const LEAVES: &str = "public/leaves.txt";
/// Salts and identities.
pub const SEALED: &str = "sealed/people.json";
/// The files of a round, in the order in which the auditor's digest takes them.
pub const OF_A_ROUND: [&str; 4] = ["instance", "pool", "lottery", "certificate"];

/// How much of a record is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Entries of the log.
    pub entries: usize,
    /// The rounds of the auditor's tier, rising; none where it is not there.
    pub rounds: Vec<usize>,
    /// Whether the sealed tier is there.
    pub sealed: bool,
}

/// The name of an entry, by its number from 1.
pub fn entry_name(number: usize) -> String {
    format!("public/entry-{number:04}.json")
}

/// The name of a round's file, by its kind in [`OF_A_ROUND`].
pub fn round_name(kind: &str, round: usize) -> String {
    format!("auditor/{kind}-{round}.json")
}

/// The check `files`: names and sizes.
pub fn layout(files: &Files) -> Result<Layout, Fault> {
    let (mut entries, mut rounds, mut sealed) = (0, BTreeSet::new(), false);
    let mut bytes = 0_usize;
    for (name, content) in files {
        match *name {
            DECLARATION | LEAVES => {}
            SEALED => sealed = true,
            // A name counts if it is the one that its number gives: no sign, no other zeros.
            _ => {
                let number = name.strip_prefix("public/entry-").map(number_of);
                let of_round = OF_A_ROUND.iter().any(|kind| {
                    let rest = name
                        .strip_prefix("auditor/")
                        .and_then(|rest| rest.strip_prefix(kind));
                    let round = rest.and_then(|rest| rest.strip_prefix('-')).map(number_of);
                    round.is_some_and(|round| {
                        let known = round <= MOST_ROUND && round_name(kind, round) == *name;
                        if known {
                            rounds.insert(round);
                        }
                        known
                    })
                });
                match number {
                    Some(number @ 1..=MOST_ENTRIES) if entry_name(number) == *name => {
                        entries = entries.max(number);
                    }
                    _ if of_round => {}
                    _ => refuse!("{name:?} is no file of a record"),
                }
            }
        }
        if content.len() > FILE_LIMIT {
            refuse!("{name}: more than {FILE_LIMIT} bytes");
        }
        bytes = bytes.saturating_add(content.len());
    }
    if bytes > RECORD_LIMIT {
        refuse!("the files have more than {RECORD_LIMIT} bytes together");
    }
    let fixed = [DECLARATION, LEAVES].map(str::to_owned).into_iter();
    let log = (1..=entries.max(1)).map(entry_name);
    // Whoever has what is sealed has what the auditor has, and the auditor has what the first round was.
    if sealed || !rounds.is_empty() {
        rounds.insert(0);
    }
    let of_rounds = rounds
        .iter()
        .flat_map(|round| OF_A_ROUND.map(|kind| round_name(kind, *round)));
    for name in fixed.chain(log).chain(of_rounds) {
        if !files.contains_key(name.as_str()) {
            refuse!("{name} is missing");
        }
    }
    Ok(Layout {
        entries,
        rounds: rounds.into_iter().collect(),
        sealed,
    })
}

/// The digits before `.json`; 0 where there are none, or too many.
fn number_of(rest: &str) -> usize {
    let digits = rest.strip_suffix(".json").unwrap_or_default();
    digits.parse().unwrap_or(usize::MAX)
}

/// The parsed files of a round.
#[derive(Debug)]
pub struct RoundFiles {
    /// R.
    pub number: usize,
    /// The round's rules.
    pub instance: Value,
    /// Its people. Large, and so dropped once it is read.
    pub pool: Option<Value>,
    /// Its panels. Dropped once read.
    pub lottery: Option<Value>,
    /// The certificate. Dropped once read.
    pub certificate: Option<Value>,
}

/// All documents of a record.
#[derive(Debug)]
pub struct Documents {
    /// The rules.
    pub declaration: Value,
    /// Each entry's envelope and payload.
    pub entries: Vec<(Envelope, Value)>,
    /// By round, rising; empty without the auditor's tier.
    pub rounds: Vec<RoundFiles>,
    /// Salts and identities, where the tier is there.
    pub sealed: Option<Value>,
}

/// The check `encoding`: canonical JSON, and the form of the envelopes.
pub fn documents(files: &Files, layout: &Layout) -> Result<Documents, Fault> {
    let read = |name: &str| in_file(name, parse(content(files, name)?));
    let declaration = read(DECLARATION)?;
    let entries = (1..=layout.entries).map(|number| {
        let name = entry_name(number);
        let entry = content(files, &name).and_then(envelope::read);
        let entry = entry.and_then(|entry| {
            let payload = parse(&entry.payload)?;
            Ok((entry, payload))
        });
        in_file(&name, entry)
    });
    let entries = entries.collect::<Result<_, _>>()?;
    let rounds = layout.rounds.iter().map(|round| {
        let [instance, pool, lottery, certificate] =
            OF_A_ROUND.map(|kind| read(&round_name(kind, *round)));
        Ok(RoundFiles {
            number: *round,
            instance: instance?,
            pool: Some(pool?),
            lottery: Some(lottery?),
            certificate: Some(certificate?),
        })
    });
    Ok(Documents {
        declaration,
        entries,
        rounds: rounds.collect::<Result<_, Fault>>()?,
        sealed: layout.sealed.then(|| read(SEALED)).transpose()?,
    })
}

/// The bytes of a file.
pub fn content<'a>(files: &Files<'a>, name: &str) -> Result<&'a [u8], Fault> {
    let found = files.get(name).copied();
    found.ok_or_else(|| Fault(format!("{name} is missing")))
}

/// A fault says in which file it is.
pub fn in_file<T>(name: &str, result: Result<T, Fault>) -> Result<T, Fault> {
    result.map_err(|Fault(reason)| Fault(format!("{name}: {reason}")))
}
