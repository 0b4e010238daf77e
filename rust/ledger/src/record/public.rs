//! What can everybody check who has the public tier alone?
//!
//! Signatures, what the commitments bind, the times, what the sources showed, the seeds that this gives, and time-stamps. Linear in the log.

use std::collections::BTreeMap;

use crate::checks::Found;
use crate::envelope;
use crate::hash::{hex, merkle_root, seq, sha256, Digest};
use crate::record::declaration::Declared;
use crate::record::files::{
    content, entry_name, in_file, round_name, Documents, Files, DECLARATION, OF_A_ROUND,
};
use crate::record::log::{Body, Log, Round};
use crate::record::summary;
use crate::source::{reveals, seeds, Reveal, Seeds};
use crate::{ed25519, time, timestamp};
use crate::{refuse, Fault};

/// The check `signatures`.
pub fn signatures(documents: &Documents, declared: &Declared) -> Result<((), String), Fault> {
    let mut verified = 0;
    for (place, (envelope, _)) in documents.entries.iter().enumerate() {
        let number = place + 1;
        let message = envelope::pae(&envelope.payload);
        let mut outside = false;
        for (keyid, signature) in &envelope.signatures {
            let known = declared.keys.binary_search_by_key(keyid, |key| key.keyid);
            let Ok(known) = known else {
                refuse!(
                    "entry {number}: a signature by {}, no declared key",
                    hex(keyid)
                );
            };
            let key = &declared.keys[known];
            if !ed25519::verify(&key.key, &message, signature) {
                refuse!(
                    "entry {number}: the signature by {} does not verify",
                    hex(keyid)
                );
            }
            verified += 1;
            outside |= !key.organiser;
        }
        let (signed, needed) = (envelope.signatures.len(), declared.threshold);
        if signed < needed {
            refuse!("entry {number}: {signed} signatures, {needed} are needed");
        }
        if !outside {
            refuse!("entry {number}: only organisers have signed");
        }
    }
    Ok(((), format!("signatures: {verified}")))
}

/// The digest of the auditor's files of a round.
fn auditor(files: &Files, round: usize) -> Result<Digest, Fault> {
    let digests = OF_A_ROUND.map(|kind| content(files, &round_name(kind, round)).map(sha256));
    let digests = digests.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(seq("klero/auditor/v1", &digests))
}

/// The check `commitment`. `audited` are the rounds of the auditor's tier.
pub fn commitments(
    files: &Files,
    declared: &Declared,
    log: &Log,
    leaves: &[Digest],
    audited: &[usize],
) -> Result<((), String), Fault> {
    let declaration = sha256(content(files, DECLARATION)?);
    let root = merkle_root(leaves);
    let numbers: Vec<usize> = log.rounds.iter().map(|round| round.number).collect();
    if !audited.is_empty() && audited != numbers {
        refuse!("rounds {numbers:?} are committed, the auditor's tier has {audited:?}");
    }
    let mut said = Vec::new();
    for ((entry, committed), gone) in log.commitments().zip(log.withdrawn_before()) {
        let round = committed.round;
        let left = i64::try_from(gone).map(|gone| declared.lottery.people - gone);
        if left != Ok(summary::people(&committed.summary)?) {
            refuse!("round {round}: the summary's `people` are not all who have not withdrawn");
        }
        if committed.declaration != declaration {
            refuse!("round {round}: `declaration` is not the hash of the declaration");
        }
        if committed.leaves != root {
            refuse!("round {round}: `leaves` is not the root over the leaves");
        }
        if !audited.is_empty() && committed.auditor != auditor(files, round)? {
            refuse!("round {round}: `auditor` is not the hash of the auditor's files");
        }
        said.push(format!("round {round}: {}", hex(&entry.hash)));
    }
    Ok(((), said.join("; ")))
}

/// The check `times`.
pub fn times(declared: &Declared, log: &Log) -> Result<((), String), Fault> {
    let mut before = i64::MIN;
    for (place, entry) in log.entries.iter().enumerate() {
        let number = place + 1;
        if entry.time < before {
            refuse!("entry {number} is earlier than the one before");
        }
        before = entry.time;
        match &entry.body {
            Body::Commitment(committed) => {
                let sources = declared.asked(committed.round, false);
                let first = sources.iter().map(|source| source.time()).min();
                if first.is_some_and(|first| entry.time + declared.notice > first) {
                    refuse!("entry {number}: the commitment of round {} stands less than {} s before its randomness", committed.round, declared.notice);
                }
            }
            Body::Reading(reading) => {
                let round = reading.round;
                let sources = declared.read_out(round);
                if sources.iter().any(|source| entry.time < source.time()) {
                    refuse!("entry {number}: the reading of round {round} is before what it reads");
                }
                if declared
                    .read_before(round)
                    .is_some_and(|beacon| entry.time >= beacon)
                {
                    refuse!(
                        "entry {number}: the reading of round {round} is not before its beacon"
                    );
                }
            }
            Body::Draw(drawn) => {
                let sources = declared.asked(drawn.round, drawn.fallback);
                if sources.iter().any(|source| entry.time < source.time()) {
                    refuse!(
                        "entry {number}: the draw of round {} is before its randomness",
                        drawn.round
                    );
                }
            }
            _ => {}
        }
    }
    let (first, last) = (log.entries.first(), log.entries.last());
    let said =
        [first, last].map(|entry| entry.map_or(String::new(), |entry| time::write(entry.time)));
    Ok(((), said.join(" to ")))
}

/// What was read out of a round before its beacon.
fn read_out(declared: &Declared, log: &Log, stands: &Round) -> Result<Option<Vec<Reveal>>, Fault> {
    let reading = log.reading(stands);
    let shown = reading.map(|reading| reveals(&reading.reveals, &declared.read_out(reading.round)));
    shown.transpose()
}

/// Refuses a draw's reveals that are not those of the round's reading.
pub fn repeats(
    declared: &Declared,
    log: &Log,
    stands: &Round,
    shown: &[Reveal],
) -> Result<(), Fault> {
    repeat(read_out(declared, log, stands)?.as_deref(), shown)
}

fn repeat(read_out: Option<&[Reveal]>, shown: &[Reveal]) -> Result<(), Fault> {
    let again = shown
        .iter()
        .filter(|reveal| !matches!(reveal, Reveal::Drand { .. }));
    if read_out.is_some_and(|read_out| !again.eq(read_out)) {
        refuse!("the draw shows something else than was read out");
    }
    Ok(())
}

/// The check `randomness`: the reveals of each draw.
pub fn randomness(declared: &Declared, log: &Log) -> Result<Found<Vec<Vec<Reveal>>>, Fault> {
    let (mut read, mut readings) = (Vec::new(), 0);
    let mut draws = log.draws();
    for stands in &log.rounds {
        let round = stands.number;
        let named = format!("round {round}");
        readings += usize::from(stands.reading.is_some());
        let read_out = in_file(&named, read_out(declared, log, stands))?;
        // Every round but perhaps the last is drawn.
        let Some((_, drawn)) = draws.next() else {
            continue;
        };
        if drawn.fallback && (round > 0 || declared.fallback.is_none()) {
            refuse!("{named}: there is no fallback to use");
        }
        let shown = reveals(&drawn.reveals, declared.asked(round, drawn.fallback));
        let shown = in_file(&named, shown)?;
        in_file(&named, repeat(read_out.as_deref(), &shown))?;
        read.push(shown);
    }
    if read.is_empty() && readings == 0 {
        return Ok(Found::Nothing("nothing is drawn"));
    }
    let reveals = read.iter().flatten().count();
    let said = format!(
        "draws: {}, reveals: {reveals}, readings: {readings}",
        read.len()
    );
    Ok(Found::This(read, said))
}

/// The check `draw.seed`: the seeds of each draw.
pub fn drawn_seeds(
    declared: &Declared,
    log: &Log,
    shown: &[Vec<Reveal>],
) -> Result<Found<Vec<Seeds>>, Fault> {
    let mut read = Vec::new();
    let pairs = log.commitments().zip(log.draws()).zip(shown);
    for (((entry, _), (_, drawn)), shown) in pairs {
        let found = seeds(&entry.hash, shown, declared.digits());
        if found.tickets != drawn.seed {
            refuse!("round {}: the reveals give another seed", drawn.round);
        }
        read.push(found);
    }
    let said: Vec<String> = read.iter().map(|seeds| hex(&seeds.tickets)).collect();
    Ok(match read.is_empty() {
        true => Found::Nothing("nothing is drawn"),
        false => Found::This(read, said.join("; ")),
    })
}

/// The check `timestamps`: how many there are. Of the tokens over one entry, the earliest counts.
pub fn timestamps(files: &Files, declared: &Declared, log: &Log) -> Result<usize, Fault> {
    let mut earliest: BTreeMap<usize, i64> = BTreeMap::new();
    // Each file is hashed once, however many tokens are over it.
    let mut digests: BTreeMap<usize, Digest> = BTreeMap::new();
    let mut read = 0;
    for (place, entry) in log.entries.iter().enumerate() {
        let Body::Timestamp { entry, token } = &entry.body else {
            continue;
        };
        let (number, stamped) = (place + 1, entry + 1);
        let stamp = in_file(&format!("entry {number}"), timestamp::read(token))?;
        let file = content(files, &entry_name(stamped))?;
        if stamp.imprint != *digests.entry(stamped).or_insert_with(|| sha256(file)) {
            refuse!("entry {number}: the time-stamp is over other bytes than the file of entry {stamped}");
        }
        let time = earliest.entry(*entry).or_insert(stamp.time);
        *time = stamp.time.min(*time);
        read += 1;
    }
    for (place, time) in earliest {
        let number = place + 1;
        match &log.entries[place].body {
            Body::Commitment(committed) => {
                let sources = declared.asked(committed.round, false);
                if sources
                    .iter()
                    .any(|source| time + declared.notice > source.time())
                {
                    refuse!("no time-stamp shows that the commitment in entry {number} stood {} s before its randomness", declared.notice);
                }
            }
            Body::Reading(reading)
                if declared
                    .read_before(reading.round)
                    .is_some_and(|beacon| time >= beacon) =>
            {
                refuse!("no time-stamp shows that the reading in entry {number} stood before its beacon");
            }
            _ => {}
        }
    }
    Ok(read)
}
