//! Does everything in this record follow from what was declared, signed and shown?
//!
//! The checks of `docs/audit/protocol.md`, in its order and under its names. They say that the commitments stood before the chance, that the
//! lottery is within its quotas and as fair as its certificate says, and that everybody drawn was drawn by what the sources showed; not that
//! the register behind the pool is honest, nor that balls and dice were.

use crate::bundle::{self, Declaration, Panel};
use crate::canonical::{parse, write};
use crate::checks::{have, Check, Found, Run};
use crate::fairness::{quotas, Certified};
use crate::hash::{hex, Digest};
use crate::record::declaration::{self, Declared};
use crate::record::files::{
    content, documents, in_file, layout, round_name, Documents, Files, Layout, DECLARATION, SEALED,
};
use crate::record::log::{self, Log};
use crate::record::people::{self, Withdrawn};
use crate::record::round::{self, People};
use crate::record::{draw, leaves, public, summary};
use crate::source::{reveals, seeds, Reveal, Seeds};
use crate::{refuse, Fault};

/// Why the auditor's checks have nothing to look at.
const NO_AUDITOR: &str = "the auditor's tier is not there";

/// All checks, in order. Once `alive` says no, the rest is not checked.
pub fn verify(files: &Files, alive: &dyn Fn() -> bool) -> Vec<Check> {
    all(files, alive).0.checks
}

/// The body of the draw's entry of a round, canonically spelled. Everything that is there must pass its checks, and the auditor's tier must
/// be there; the log ends before the draw. `shown` is the canonical list of reveals.
pub fn draw_body(
    files: &Files,
    round: usize,
    shown: &[u8],
    fallback: bool,
    alive: &dyn Fn() -> bool,
) -> Result<Vec<u8>, Fault> {
    let (run, state) = all(files, alive);
    going_on(alive)?;
    if let Some(check) = run.failed() {
        refuse!("{}: {}", check.name, check.detail);
    }
    let (declared, log) = (have(&state.declared)?, have(&state.log)?);
    let last = log.commitments().zip(&log.rounds).last();
    let Some(((entry, _), stands)) = last.filter(|(_, stands)| stands.draw.is_none()) else {
        refuse!("no round is committed that is not drawn yet");
    };
    if stands.number != round || log.aborted() {
        refuse!("round {round} is not the one to be drawn, or the draw was aborted");
    }
    let Some(staged) = state.rounds.last() else {
        refuse!("a draw needs the types of people: {NO_AUDITOR}");
    };
    if fallback && (round > 0 || declared.fallback.is_none()) {
        refuse!("there is no fallback for round {round}");
    }
    if declared.read_before(round).is_some() && stands.reading.is_none() {
        refuse!(
            "what is drawn beside the beacon of round {round} was not read out in an entry before"
        );
    }
    let given = parse(shown)?;
    let shown = reveals(&given, declared.asked(round, fallback))?;
    public::repeats(declared, log, stands, &shown)?;
    if shown.iter().any(|reveal| reveal.verify() == Some(false)) {
        refuse!("the beacon's signature does not verify");
    }
    let seeds = seeds(&entry.hash, &shown, declared.digits());
    let position = draw::position(&seeds, declared.lottery.denominator)?;
    let panel = ready(&state, staged)?.panel(position.0, &seeds.tickets)?;
    let body = draw::Body {
        round,
        fallback,
        panel: &panel,
        position,
        reveals: given,
        seed: &seeds.tickets,
    };
    Ok(write(&body.write()?))
}

/// Refuses once the caller wants no answer any more.
fn going_on(alive: &dyn Fn() -> bool) -> Result<(), Fault> {
    if alive() {
        return Ok(());
    }
    refuse!("stopped")
}

/// A round's lottery, once its files and those of round 0 are read.
fn ready<'a>(state: &'a State, staged: &'a Staged) -> Result<draw::Lottery<'a>, Fault> {
    let Some(first) = state.rounds.first() else {
        refuse!("there is no round");
    };
    Ok(draw::Lottery {
        instance: &staged.instance,
        people: have(&staged.people)?,
        panels: have(&staged.panels)?,
        first: have(&first.people)?,
        leaves: have(&state.leaves)?,
    })
}

/// The summary of a round from the bytes of its four files, canonically spelled. Quotas, certificate and gap must hold.
pub fn summary_of(
    instance: &[u8],
    pool: &[u8],
    lottery: &[u8],
    certificate: &[u8],
    alive: &dyn Fn() -> bool,
) -> Result<Vec<u8>, Fault> {
    let instance = in_file(
        "instance",
        parse(instance).and_then(|value| round::instance(&value)),
    )?;
    let pool = parse(pool).and_then(|value| round::people(&value, &instance, usize::MAX));
    let pool = in_file("pool", pool)?.pool;
    going_on(alive)?;
    let panels = parse(lottery).and_then(|value| bundle::lottery(&value, &instance, &pool));
    let panels = in_file("lottery", panels)?;
    quotas(&instance, &pool, &panels)?;
    going_on(alive)?;
    let certified = parse(certificate).and_then(|value| Certified::read(&value, &instance, &pool));
    let certified = in_file("certificate", certified)?;
    certified.check_gap(&instance, &pool, &panels)?;
    Ok(write(&summary::summary(
        &instance, &pool, &panels, &certified,
    )?))
}

/// What is known of a round of the auditor's tier.
struct Staged {
    number: usize,
    instance: Declaration,
    people: Option<People>,
    panels: Option<Vec<Panel>>,
    certified: Option<Certified>,
}

/// What the checks have read so far.
#[derive(Default)]
struct State {
    layout: Option<Layout>,
    documents: Option<Documents>,
    declared: Option<Declared>,
    leaves: Option<Vec<Digest>>,
    log: Option<Log>,
    /// Of each draw, in the order of rounds.
    reveals: Option<Vec<Vec<Reveal>>>,
    seeds: Option<Vec<Seeds>>,
    withdrawn: Option<(Withdrawn, Vec<Vec<usize>>)>,
    rounds: Vec<Staged>,
}

/// Does all checks as long as it is `alive`, and keeps what they read.
fn all<'a>(files: &Files, alive: &'a dyn Fn() -> bool) -> (Run<'a>, State) {
    let (mut run, mut state) = (Run::default(), State::default());
    run.alive = Some(alive);
    public(&mut run, &mut state, files);
    chance(&mut run, &mut state);
    stamps(&mut run, &state, files);
    audited(&mut run, &mut state);
    fairness(&mut run, &mut state);
    later(&mut run, &state);
    (run, state)
}

/// From `files` to `commitment`.
fn public(run: &mut Run<'_>, state: &mut State, files: &Files) {
    state.layout = run.step("files", &[], || {
        let found = layout(files)?;
        let tiers = match (found.rounds.is_empty(), found.sealed) {
            (true, _) => "public",
            (_, false) => "public, auditor",
            (_, true) => "public, auditor, sealed",
        };
        Ok((found, format!("tiers: {tiers}; files: {}", files.len())))
    });
    state.documents = run.step("encoding", &["files"], || {
        let bytes: usize = files.values().map(|content| content.len()).sum();
        Ok((
            documents(files, have(&state.layout)?)?,
            format!("bytes: {bytes}"),
        ))
    });
    state.declared = run.step("declaration", &["encoding"], || {
        let found = in_file(
            DECLARATION,
            declaration::read(&have(&state.documents)?.declaration),
        )?;
        let rules = &found.lottery;
        let said = format!(
            "{}: people: {}, seats: {}, cells: {}, keys: {}, signatures needed: {}",
            found.draw,
            rules.people,
            rules.size,
            rules.bounds.len(),
            found.keys.len(),
            found.threshold
        );
        Ok((found, said))
    });
    state.leaves = run.step("leaves", &["declaration"], || {
        let people = have(&state.declared)?.lottery.people;
        let bytes = content(files, crate::record::files::LEAVES)?;
        Ok((leaves::read(bytes, people)?, format!("leaves: {people}")))
    });
    state.log = run.step("log", &["declaration"], || {
        let found = log::read(&have(&state.documents)?.entries, have(&state.declared)?)?;
        let head = found
            .entries
            .last()
            .map_or(String::new(), |last| hex(&last.hash));
        let said = format!("entries: {}, head: {head}", found.entries.len());
        Ok((found, said))
    });
    run.step("signatures", &["log"], || {
        public::signatures(have(&state.documents)?, have(&state.declared)?)
    });
    run.step("commitment", &["leaves", "log"], || {
        let audited = &have(&state.layout)?.rounds;
        public::commitments(
            files,
            have(&state.declared)?,
            have(&state.log)?,
            have(&state.leaves)?,
            audited,
        )
    });
}

/// From `times` to `draw.people`: what the public can check of draws.
fn chance(run: &mut Run<'_>, state: &mut State) {
    run.step("times", &["log"], || {
        public::times(have(&state.declared)?, have(&state.log)?)
    });
    state.reveals = run.step_where_any("randomness", &["log"], || {
        public::randomness(have(&state.declared)?, have(&state.log)?)
    });
    run.step_where_any("beacon", &["signatures", "randomness"], || {
        let shown = have(&state.reveals)?.iter().flatten().map(Reveal::verify);
        let verified: Vec<bool> = shown.flatten().collect();
        Ok(match (verified.is_empty(), verified.contains(&false)) {
            (true, _) => Found::Nothing("no beacon is used"),
            (_, true) => refuse!("a beacon's signature does not verify"),
            _ => Found::This((), format!("rounds of a beacon: {}", verified.len())),
        })
    });
    state.seeds = run.step_where_any("draw.seed", &["commitment", "randomness"], || {
        public::drawn_seeds(
            have(&state.declared)?,
            have(&state.log)?,
            have(&state.reveals)?,
        )
    });
    run.step("draw.index", &["draw.seed"], || {
        let denominator = have(&state.declared)?.lottery.denominator;
        let mut said = Vec::new();
        for ((_, drawn), seeds) in have(&state.log)?.draws().zip(have(&state.seeds)?) {
            let (position, rejected) = draw::position(seeds, denominator)?;
            if (position, rejected) != (drawn.position, drawn.rejected) {
                let round = drawn.round;
                refuse!("round {round}: position {position}, {rejected} rejected are expected");
            }
            said.push(format!("position {position}"));
        }
        Ok(((), said.join("; ")))
    });
    state.withdrawn = run.step_where_any("draw.people", &["leaves", "log"], || {
        let (log, leaves) = (have(&state.log)?, have(&state.leaves)?);
        let withdrawn = people::withdrawn(log, leaves)?;
        let panels = people::panels(log, leaves, have(&state.declared)?.lottery.size, &withdrawn)?;
        let gone = withdrawn.iter().flatten().count();
        if gone == 0 && panels.is_empty() {
            return Ok(Found::Nothing("nothing is drawn and nobody withdrew"));
        }
        let said = format!("panels: {}, withdrawn: {gone}", panels.len());
        Ok(Found::This((withdrawn, panels), said))
    });
}

/// `timestamps` and `timestamps.signature`.
fn stamps(run: &mut Run<'_>, state: &State, files: &Files) {
    run.step_where_any("timestamps", &["log"], || {
        let read = public::timestamps(files, have(&state.declared)?, have(&state.log)?)?;
        Ok(match read {
            0 => Found::Nothing("there is no time-stamp"),
            _ => Found::This((), format!("time-stamps: {read}")),
        })
    });
    run.step_where_any("timestamps.signature", &["timestamps"], || {
        Ok(Found::<()>::Nothing(
            "no certificate of the time-stamp authority is given",
        ))
    });
}

/// `instance` and `pool`.
fn audited(run: &mut Run<'_>, state: &mut State) {
    let staged = run.step_where_any("instance", &["commitment"], || {
        let (declared, log) = (have(&state.declared)?, have(&state.log)?);
        let mut read = Vec::new();
        // The rounds of the files are those committed: `commitment` found so.
        for (files, (_, committed)) in have(&state.documents)?.rounds.iter().zip(log.commitments())
        {
            let number = files.number;
            let found = round::instance(&files.instance).and_then(|instance| {
                round::instance_follows(&instance, declared, committed)?;
                Ok(instance)
            });
            read.push(Staged {
                number,
                instance: in_file(&round_name("instance", number), found)?,
                people: None,
                panels: None,
                certified: None,
            });
        }
        Ok(match read.len() {
            0 => Found::Nothing(NO_AUDITOR),
            rounds => Found::This(read, format!("rounds: {rounds}")),
        })
    });
    state.rounds = staged.unwrap_or_default();
    run.step("pool", &["instance"], || {
        let (declared, leaves) = (have(&state.declared)?, have(&state.leaves)?);
        let mut said = Vec::new();
        for (place, staged) in state.rounds.iter_mut().enumerate() {
            let number = staged.number;
            let value = take(&mut state.documents, place, |files| files.pool.take())?;
            let read = round::people(&value, &staged.instance, leaves.len());
            let read = read.and_then(|people| {
                round::opens(&people, &staged.instance, &declared.draw, number, leaves)?;
                Ok(people)
            });
            let people = in_file(&round_name("pool", number), read)?;
            let (count, types) = (people.leaves.len(), people.pool.types.len());
            said.push(format!("people: {count}, types: {types}"));
            staged.people = Some(people);
        }
        Ok(((), said.join("; ")))
    });
}

/// Takes a document out, so that its memory is given back once it is read.
fn take(
    documents: &mut Option<Documents>,
    place: usize,
    which: impl FnOnce(&mut crate::record::files::RoundFiles) -> Option<crate::canonical::Value>,
) -> Result<crate::canonical::Value, Fault> {
    let files = documents
        .as_mut()
        .and_then(|documents| documents.rounds.get_mut(place));
    files
        .and_then(which)
        .ok_or_else(|| Fault("not read".to_owned()))
}

/// From `lottery` to `summary`.
fn fairness(run: &mut Run<'_>, state: &mut State) {
    run.step("lottery", &["pool"], || {
        let mut said = Vec::new();
        for (place, staged) in state.rounds.iter_mut().enumerate() {
            let number = staged.number;
            let value = take(&mut state.documents, place, |files| files.lottery.take())?;
            let panels = bundle::lottery(&value, &staged.instance, &have(&staged.people)?.pool);
            let panels = in_file(&round_name("lottery", number), panels)?;
            said.push(format!("panels: {}", panels.len()));
            staged.panels = Some(panels);
        }
        Ok(((), said.join("; ")))
    });
    run.step("quotas", &["lottery"], || {
        for staged in &state.rounds {
            let number = staged.number;
            let pool = &have(&staged.people)?.pool;
            let kept = quotas(&staged.instance, pool, have(&staged.panels)?);
            in_file(&round_name("lottery", number), kept)?;
        }
        let cells: usize = state
            .rounds
            .iter()
            .map(|staged| staged.instance.bounds.len())
            .sum();
        Ok(((), format!("cells: {cells}")))
    });
    run.step("certificate", &["pool"], || {
        let mut said = Vec::new();
        for (place, staged) in state.rounds.iter_mut().enumerate() {
            let number = staged.number;
            let value = take(&mut state.documents, place, |files| {
                files.certificate.take()
            })?;
            let pool = &have(&staged.people)?.pool;
            let certified = Certified::read(&value, &staged.instance, pool);
            let certified = in_file(&round_name("certificate", number), certified)?;
            said.push(certified.said());
            staged.certified = Some(certified);
        }
        Ok(((), said.join("; ")))
    });
    run.step("gap", &["quotas", "certificate"], || {
        let mut said = Vec::new();
        for staged in &state.rounds {
            let number = staged.number;
            let pool = &have(&staged.people)?.pool;
            let certified = have(&staged.certified)?;
            let gap = certified.check_gap(&staged.instance, pool, have(&staged.panels)?);
            said.push(in_file(&round_name("certificate", number), gap)?);
        }
        Ok(((), said.join("; ")))
    });
    run.step("summary", &["gap"], || {
        let log = have(&state.log)?;
        for (staged, (_, committed)) in state.rounds.iter().zip(log.commitments()) {
            let pool = &have(&staged.people)?.pool;
            let panels = have(&staged.panels)?;
            let certified = have(&staged.certified)?;
            let due = summary::summary(&staged.instance, pool, panels, certified)?;
            if committed.summary != due {
                refuse!(
                    "round {}: people, gap, level or histogram are others",
                    staged.number
                );
            }
        }
        Ok(((), format!("summaries: {}", state.rounds.len())))
    });
}

/// From `draw.panel` to `sealed`.
fn later(run: &mut Run<'_>, state: &State) {
    run.step(
        "draw.panel",
        &["quotas", "draw.index", "draw.people"],
        || {
            let log = have(&state.log)?;
            let mut drawn = 0;
            for ((_, body), staged) in log.draws().zip(&state.rounds) {
                // Position and seed are the stated ones: the checks before found them right.
                let panel = ready(state, staged)?.panel(body.position, &body.seed);
                if in_file(&format!("round {}", body.round), panel)? != body.panel {
                    refuse!("round {}: the tickets give another panel", body.round);
                }
                drawn += body.panel.len();
            }
            Ok(((), format!("people: {drawn}")))
        },
    );
    run.step_where_any("succession", &["pool", "draw.people"], || {
        let [first, rest @ ..] = state.rounds.as_slice() else {
            refuse!("there is no round");
        };
        if rest.is_empty() {
            return Ok(Found::Nothing("there is no later round"));
        }
        let (log, (withdrawn, panels)) = (have(&state.log)?, have(&state.withdrawn)?);
        let first = (&first.instance, have(&first.people)?);
        for (number, staged) in (1..).zip(rest) {
            let (next, panel) = (
                (&staged.instance, have(&staged.people)?),
                &panels[number - 1],
            );
            let before = log.rounds[number].commitment;
            let follows = people::succession(first, next, panel, withdrawn, before);
            in_file(&format!("round {number}"), follows)?;
        }
        Ok(Found::This((), format!("later rounds: {}", rest.len())))
    });
    run.step_where_any("sealed", &["pool"], || {
        let Some(value) = &have(&state.documents)?.sealed else {
            return Ok(Found::Nothing("the sealed tier is not there"));
        };
        let [first, ..] = state.rounds.as_slice() else {
            refuse!("there is no round");
        };
        let (declared, leaves) = (have(&state.declared)?, have(&state.leaves)?);
        let staffed = (&first.instance, have(&first.people)?);
        let destroyed = in_file(SEALED, people::sealed(value, declared, staffed, leaves))?;
        Ok(Found::This(
            (),
            format!("people: {}, destroyed salts: {destroyed}", leaves.len()),
        ))
    });
}
