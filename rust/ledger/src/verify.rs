//! Does everything in this bundle follow from everything else?
//!
//! The checks of `docs/audit/bundle.md`, in its order and under its names. Every byte of every file is bound by one of them.
//! They say that the lottery is what was committed to, meets its quotas, is as fair as its certificate says, and that the
//! draw follows from the seed; not that the pool is honest nor that the seed was left to chance.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use unicode_normalization::is_nfc;

use crate::bundle::{self, Declaration, Panel, Pool, DRAW_FILE, FILES};
use crate::canonical::{parse, write, Value, INT_LIMIT};
use crate::certificate::{check_levels, check_work, gap};
use crate::claim::{self, check_claim};
use crate::draw;
use crate::hash::{hex, merkle_root, seq, sha256, Digest};
use crate::{refuse, Fault};

/// The bytes of each file of a bundle.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A file has at most this many bytes.
pub const FILE_LIMIT: usize = 64 << 20;

/// One check and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name in the specification.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// All checks, in order. Those of a draw are there if its file is.
pub fn verify(files: &Files) -> Vec<Check> {
    let mut run = Run::default();
    let read = run.lottery(files);
    run.fairness(&read);
    if files.contains_key(DRAW_FILE) {
        run.draw(&read);
    }
    run.checks
}

/// The bytes of draw.json for this text: all that a draw needs must pass its checks.
pub fn draw_file(files: &Files, seed_text: &str) -> Result<Vec<u8>, Fault> {
    if seed_text.is_empty() || !is_nfc(seed_text) {
        refuse!("the seed's text is empty or not in NFC");
    }
    let mut run = Run::default();
    let read = run.lottery(files);
    if let Some(check) = run.checks.iter().find(|check| !check.ok) {
        refuse!("{}: {}", check.name, check.detail);
    }
    let (declaration, pool, panels) = (
        have(&read.declaration)?,
        have(&read.pool)?,
        have(&read.panels)?,
    );
    let commitment = have(&read.commitment)?;
    Ok(write(&draw::document(
        declaration,
        pool,
        panels,
        commitment,
        seed_text,
    )?))
}

/// The leaves of the people, in the pool's order, from the bytes of two files.
pub fn pool_leaves(declaration: &[u8], pool: &[u8]) -> Result<Vec<Digest>, Fault> {
    let declaration = bundle::declaration(&parse(declaration)?)?;
    let pool = bundle::pool(&parse(pool)?, &declaration)?;
    Ok(draw::leaves(&declaration, &pool))
}

/// The bytes of commitment.json, from those of the four files that it seals.
pub fn commitment_file(files: &Files) -> Result<Vec<u8>, Fault> {
    let content = |name: &str| {
        files
            .get(name)
            .ok_or_else(|| Fault(format!("{name} is missing")))
    };
    let leaves = pool_leaves(content("declaration.json")?, content("pool.json")?)?;
    Ok(write(&seal(files, leaves)?.0))
}

/// The document commitment.json and the commitment itself.
fn seal(files: &Files, mut leaves: Vec<Digest>) -> Result<(Value, Digest), Fault> {
    let digest = |name: &str| {
        files
            .get(name)
            .map(|bytes| sha256(bytes))
            .ok_or_else(|| Fault(format!("{name} is missing")))
    };
    leaves.sort_unstable();
    let (declaration, pool) = (digest("declaration.json")?, merkle_root(&leaves));
    let (lottery, certificate) = (digest("lottery.json")?, digest("certificate.json")?);
    let all = seq(
        "klero/commit/v1",
        &[declaration, pool, lottery, certificate],
    );
    let document = Value::map([
        ("certificate", Value::Text(hex(&certificate))),
        ("commitment", Value::Text(hex(&all))),
        ("declaration", Value::Text(hex(&declaration))),
        ("lottery", Value::Text(hex(&lottery))),
        ("pool", Value::Text(hex(&pool))),
    ]);
    Ok((document, all))
}

/// What the checks have read so far.
#[derive(Default)]
struct Read {
    documents: Option<BTreeMap<String, Value>>,
    declaration: Option<Declaration>,
    pool: Option<Pool>,
    leaves: Vec<Digest>,
    commitment: Option<Digest>,
    panels: Option<Vec<Panel>>,
}

impl Read {
    fn document(&self, name: &str) -> Result<&Value, Fault> {
        let documents = have(&self.documents)?;
        documents
            .get(name)
            .ok_or_else(|| Fault(format!("{name} is missing")))
    }
}

fn have<T>(option: &Option<T>) -> Result<&T, Fault> {
    option.as_ref().ok_or_else(|| Fault("not read".to_owned()))
}

#[derive(Default)]
struct Run {
    checks: Vec<Check>,
}

impl Run {
    /// Does one check, unless one that it needs failed.
    fn step<T>(
        &mut self,
        name: &'static str,
        needs: &[&str],
        check: impl FnOnce() -> Result<(T, String), Fault>,
    ) -> Option<T> {
        let failed = self
            .checks
            .iter()
            .find(|done| !done.ok && needs.contains(&done.name));
        let result = match failed {
            Some(failed) => Err(Fault(format!("not checked: {} failed", failed.name))),
            None => check(),
        };
        let (value, ok, detail) = match result {
            Ok((value, detail)) => (Some(value), true, detail),
            Err(Fault(reason)) => (None, false, reason),
        };
        self.checks.push(Check { name, ok, detail });
        value
    }

    /// From `files` to `quotas`.
    fn lottery(&mut self, files: &Files) -> Read {
        let mut read = Read::default();
        self.step("files", &[], || names(files));
        read.documents = self.step("encoding", &["files"], || documents(files));
        read.declaration = self.step("declaration", &["encoding"], || {
            let found = bundle::declaration(read.document("declaration.json")?)?;
            let said = format!(
                "seats: {}, features: {}, cells: {}",
                found.size,
                found.features.len(),
                found.bounds.len()
            );
            Ok((found, said))
        });
        read.pool = self.step("pool", &["declaration"], || {
            let found = bundle::pool(read.document("pool.json")?, have(&read.declaration)?)?;
            let said = format!(
                "people: {}, types: {}",
                found.people.len(),
                found.types.len()
            );
            Ok((found, said))
        });
        if let (Some(declaration), Some(pool)) = (&read.declaration, &read.pool) {
            read.leaves = draw::leaves(declaration, pool);
        }
        read.commitment = self.step("commitment", &["pool"], || {
            let (document, all) = seal(files, read.leaves.clone())?;
            if *read.document("commitment.json")? != document {
                refuse!("the hashes are not those of the files");
            }
            Ok((all, hex(&all)))
        });
        read.panels = self.step("lottery", &["pool"], || {
            let found = bundle::lottery(
                read.document("lottery.json")?,
                have(&read.declaration)?,
                have(&read.pool)?,
            )?;
            let said = format!("panels: {}", found.len());
            Ok((found, said))
        });
        self.step("quotas", &["lottery"], || {
            quotas(
                have(&read.declaration)?,
                have(&read.pool)?,
                have(&read.panels)?,
            )
        });
        read
    }

    /// `certificate` and `gap`.
    fn fairness(&mut self, read: &Read) {
        let certificate = self.step("certificate", &["pool"], || {
            let (declaration, pool) = (have(&read.declaration)?, have(&read.pool)?);
            let found = bundle::certificate(read.document("certificate.json")?, declaration, pool)?;
            check_work(pool, &found)?;
            let shut = check_levels(declaration, pool, &found)?;
            let trees = found
                .levels
                .iter()
                .filter(|level| !level.proof.is_empty())
                .count();
            let claimed = found.claim.as_ref();
            let proved = claimed.map(|claim| check_claim(declaration, pool, claim, &shut));
            let trees = trees + usize::from(claimed.is_some_and(claim::integral));
            let said = format!("levels: {}, proof trees: {trees}", found.levels.len());
            Ok(((found, proved.transpose()?, trees > 0), said))
        });
        self.step("gap", &["quotas", "certificate"], || {
            let (certificate, proved, with_proof) = have(&certificate)?;
            if certificate.with_proof != *with_proof {
                refuse!("the stated level is not that of the proofs");
            }
            let (declaration, pool) = (have(&read.declaration)?, have(&read.pool)?);
            let panels = have(&read.panels)?;
            let found = match (&certificate.claim, proved) {
                (Some(claim), Some(proved)) => {
                    claim::gap(declaration, pool, panels, claim, proved)?
                }
                _ => gap(declaration, pool, panels, certificate),
            };
            if found.compare(&certificate.gap) != Ordering::Equal {
                refuse!("the stated gap is not the largest one");
            }
            let level = if certificate.with_proof { "L1" } else { "L0" };
            let gap = certificate.gap.rounded_up();
            Ok(((), format!("{level}, at most {gap}")))
        });
    }

    /// The three checks of a draw.
    fn draw(&mut self, read: &Read) {
        let found = self.step("draw.seed", &["encoding", "commitment"], || {
            let found = drawn(read.document(DRAW_FILE)?, have(&read.commitment)?)?;
            let said = format!("TRIAL, {}", hex(&found.seed));
            Ok((found, said))
        });
        let won = self.step("draw.index", &["lottery", "draw.seed"], || {
            let found = have(&found)?;
            let won = draw::winner(have(&read.declaration)?, have(&read.panels)?, &found.seed)?;
            if won != (found.position, found.rejected, found.entry) {
                refuse!(
                    "position {}, {} rejected, entry {} are expected",
                    won.0,
                    won.1,
                    won.2
                );
            }
            Ok((won.2, format!("position {}, entry {}", won.0, won.2)))
        });
        self.step("draw.panel", &["quotas", "draw.index"], || {
            let (found, panels) = (have(&found)?, have(&read.panels)?);
            let Some(panel) = usize::try_from(*have(&won)?)
                .ok()
                .and_then(|entry| panels.get(entry))
            else {
                refuse!("there is no such entry")
            };
            let (declaration, pool) = (have(&read.declaration)?, have(&read.pool)?);
            let ids = draw::panel_ids(declaration, pool, &read.leaves, panel, &found.seed)?;
            if ids != found.panel {
                refuse!("the tickets give another panel");
            }
            Ok(((), format!("people: {}", found.panel.len())))
        });
    }
}

fn names(files: &Files) -> Result<((), String), Fault> {
    if let Some(missing) = FILES.iter().find(|name| !files.contains_key(**name)) {
        refuse!("{missing} is missing");
    }
    if let Some(extra) = files
        .keys()
        .find(|name| !FILES.contains(&name.as_str()) && *name != DRAW_FILE)
    {
        refuse!("{extra:?} is no file of a bundle");
    }
    Ok(((), format!("files: {}", files.len())))
}

fn documents(files: &Files) -> Result<(BTreeMap<String, Value>, String), Fault> {
    let mut read = BTreeMap::new();
    for (name, bytes) in files {
        if bytes.len() > FILE_LIMIT {
            refuse!("{name}: more than {FILE_LIMIT} bytes");
        }
        let value = parse(bytes).map_err(|Fault(reason)| Fault(format!("{name}: {reason}")))?;
        read.insert(name.clone(), value);
    }
    Ok((
        read,
        format!("bytes: {}", files.values().map(Vec::len).sum::<usize>()),
    ))
}

fn quotas(declaration: &Declaration, pool: &Pool, panels: &[Panel]) -> Result<((), String), Fault> {
    let mut filled = vec![0_i64; declaration.bounds.len()];
    for (i, (_, panel)) in panels.iter().enumerate() {
        filled.fill(0);
        let mut seated = 0;
        for (t, seats) in panel {
            if *seats > pool.counts[*t] {
                refuse!(
                    "panel {i}: {seats} seats for the {} people of type {t}",
                    pool.counts[*t]
                );
            }
            // No sum passes the number of people, now that no type does.
            seated += seats;
            pool.cells[*t]
                .iter()
                .for_each(|cell| filled[*cell] += seats);
        }
        if seated != declaration.size {
            refuse!("panel {i}: {seated} seats instead of {}", declaration.size);
        }
        for (cell, (filled, (min, max))) in filled.iter().zip(&declaration.bounds).enumerate() {
            if filled < min || filled > max {
                refuse!("panel {i}: {filled} seats in cell {cell}, {min} to {max} allowed");
            }
        }
    }
    Ok((
        (),
        format!(
            "cells: {}, panels: {}",
            declaration.bounds.len(),
            panels.len()
        ),
    ))
}

struct Drawn {
    entry: i64,
    position: i64,
    rejected: i64,
    panel: Vec<String>,
    seed: Digest,
}

/// Reads draw.json and checks its constants, commitment and seed.
fn drawn(value: &Value, commitment: &Digest) -> Result<Drawn, Fault> {
    let [committed, entry, format, mark, panel, position, rejected, seed, kind, seed_text] =
        bundle::fields(
            value,
            [
                "commitment",
                "entry",
                "format",
                "mark",
                "panel",
                "position",
                "rejected",
                "seed",
                "seed_kind",
                "seed_text",
            ],
        )?;
    let seed_text = bundle::text(seed_text)?;
    let expected = draw::trial_seed(commitment, seed_text);
    let texts = [(format, "klero-draw/1"), (mark, "TRIAL"), (kind, "trial")];
    if seed_text.is_empty()
        || texts
            .iter()
            .any(|(found, text)| **found != Value::text(text))
    {
        refuse!("the draw's fields are not those of a trial");
    }
    if *committed != Value::Text(hex(commitment)) {
        refuse!("the draw is one of another lottery");
    }
    if *seed != Value::Text(hex(&expected)) {
        refuse!("the seed is not the one that the text gives");
    }
    let Value::List(panel) = panel else {
        refuse!("the panel is not an array")
    };
    Ok(Drawn {
        entry: bundle::int(entry, 0, INT_LIMIT)?,
        position: bundle::int(position, 0, INT_LIMIT)?,
        rejected: bundle::int(rejected, 0, INT_LIMIT)?,
        panel: panel
            .iter()
            .map(|id| bundle::text(id).map(str::to_owned))
            .collect::<Result<_, _>>()?,
        seed: expected,
    })
}
