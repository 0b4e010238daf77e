//! Does everything in this bundle follow from everything else?
//!
//! The checks of `docs/audit/bundle.md`, in its order and under its names. Every byte of every file is bound by one of them.
//! They say that the lottery is what was committed to, meets its quotas, is as fair as its certificate says, and that the
//! draw follows from the seed; not that the pool is honest nor that the seed was left to chance.

use std::collections::BTreeMap;

use unicode_normalization::is_nfc;

use crate::bundle::{self, Declaration, Panel, Pool};
use crate::canonical::{parse, write, Value, INT_LIMIT};
use crate::checks::{have, Run, Status};
use crate::draw;
use crate::fairness::{quotas, Certified};
use crate::hash::{hex, merkle_root, seq, sha256, Digest};
use crate::{refuse, Fault};

/// The files of a lottery, in the order of their names.
const FILES: [&str; 5] = [
    "certificate.json",
    "commitment.json",
    "declaration.json",
    "lottery.json",
    "pool.json",
];
/// The file that a draw adds.
const DRAW_FILE: &str = "draw.json";

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
    let read = lottery(&mut run, files);
    fairness(&mut run, &read);
    if files.contains_key(DRAW_FILE) {
        drawing(&mut run, &read);
    }
    let done = run.checks.into_iter();
    done.map(|check| Check {
        name: check.name,
        ok: check.status == Status::Ok,
        detail: check.detail,
    })
    .collect()
}

/// The bytes of draw.json for this text: all that a draw needs must pass its checks.
pub fn draw_file(files: &Files, seed_text: &str) -> Result<Vec<u8>, Fault> {
    if seed_text.is_empty() || !is_nfc(seed_text) {
        refuse!("the seed's text is empty or not in NFC");
    }
    let mut run = Run::default();
    let read = lottery(&mut run, files);
    if let Some(check) = run.failed() {
        refuse!("{}: {}", check.name, check.detail);
    }
    let (ids, pool) = have(&read.pool)?;
    Ok(write(&draw::document(
        have(&read.declaration)?,
        (ids, pool),
        have(&read.panels)?,
        have(&read.commitment)?,
        seed_text,
    )?))
}

/// The leaves of the people, in the pool's order, from the bytes of two files.
pub fn pool_leaves(declaration: &[u8], pool: &[u8]) -> Result<Vec<Digest>, Fault> {
    let declaration = bundle::declaration(&parse(declaration)?)?;
    let (ids, pool) = bundle::pool(&parse(pool)?, &declaration)?;
    Ok(draw::leaves(&declaration, &ids, &pool))
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
    pool: Option<(Vec<String>, Pool)>,
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

/// From `files` to `quotas`.
fn lottery(run: &mut Run<'_>, files: &Files) -> Read {
    let mut read = Read::default();
    run.step("files", &[], || names(files));
    read.documents = run.step("encoding", &["files"], || documents(files));
    read.declaration = run.step("declaration", &["encoding"], || {
        let found = bundle::declaration(read.document("declaration.json")?)?;
        let said = format!(
            "seats: {}, features: {}, cells: {}",
            found.size,
            found.features.len(),
            found.bounds.len()
        );
        Ok((found, said))
    });
    read.pool = run.step("pool", &["declaration"], || {
        let found = bundle::pool(read.document("pool.json")?, have(&read.declaration)?)?;
        let said = format!(
            "people: {}, types: {}",
            found.1.people.len(),
            found.1.types.len()
        );
        Ok((found, said))
    });
    if let (Some(declaration), Some((ids, pool))) = (&read.declaration, &read.pool) {
        read.leaves = draw::leaves(declaration, ids, pool);
    }
    read.commitment = run.step("commitment", &["pool"], || {
        let (document, all) = seal(files, read.leaves.clone())?;
        if *read.document("commitment.json")? != document {
            refuse!("the hashes are not those of the files");
        }
        Ok((all, hex(&all)))
    });
    read.panels = run.step("lottery", &["pool"], || {
        let found = bundle::lottery(
            read.document("lottery.json")?,
            have(&read.declaration)?,
            &have(&read.pool)?.1,
        )?;
        let said = format!("panels: {}", found.len());
        Ok((found, said))
    });
    run.step("quotas", &["lottery"], || {
        let (declaration, panels) = (have(&read.declaration)?, have(&read.panels)?);
        quotas(declaration, &have(&read.pool)?.1, panels)?;
        let cells = declaration.bounds.len();
        Ok(((), format!("cells: {cells}, panels: {}", panels.len())))
    });
    read
}

/// `certificate` and `gap`.
fn fairness(run: &mut Run<'_>, read: &Read) {
    let certificate = run.step("certificate", &["pool"], || {
        let (declaration, (_, pool)) = (have(&read.declaration)?, have(&read.pool)?);
        let found = Certified::read(read.document("certificate.json")?, declaration, pool)?;
        let said = found.said();
        Ok((found, said))
    });
    run.step("gap", &["quotas", "certificate"], || {
        let (declaration, (_, pool)) = (have(&read.declaration)?, have(&read.pool)?);
        let said = have(&certificate)?.check_gap(declaration, pool, have(&read.panels)?)?;
        Ok(((), said))
    });
}

/// The three checks of a draw.
fn drawing(run: &mut Run<'_>, read: &Read) {
    let found = run.step("draw.seed", &["encoding", "commitment"], || {
        let found = drawn(read.document(DRAW_FILE)?, have(&read.commitment)?)?;
        let said = format!("TRIAL, {}", hex(&found.seed));
        Ok((found, said))
    });
    let won = run.step("draw.index", &["lottery", "draw.seed"], || {
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
    run.step("draw.panel", &["quotas", "draw.index"], || {
        let (found, panels) = (have(&found)?, have(&read.panels)?);
        let Some(panel) = usize::try_from(*have(&won)?)
            .ok()
            .and_then(|entry| panels.get(entry))
        else {
            refuse!("there is no such entry")
        };
        let (declaration, (ids, pool)) = (have(&read.declaration)?, have(&read.pool)?);
        let people = draw::drawn(declaration, pool, &read.leaves, panel, &found.seed)?;
        if !people.iter().map(|i| &ids[*i]).eq(&found.panel) {
            refuse!("the tickets give another panel");
        }
        Ok(((), format!("people: {}", found.panel.len())))
    });
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
