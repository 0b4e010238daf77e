// The checks of a record, in the specification's order. Each needs others: it fails with one that failed, and is not checked with one
// that was not. An error that nobody foresaw is a failure too: a verifier never says «ok» for want of an answer.

import { byNumber, Fault, must, parse, utf8, write } from "./canonical.js";
import { checkCertificate, checkGap } from "./certificate.js";
import { beaconVerifies } from "./curves.js";
import { readDeclaration } from "./declaration.js";
import { fromHex, hmac, hmacs, seq, sha256, toHex, treeRoot } from "./hashes.js";
import { checkPeople, checkSignatures, checkTimes, readEnvelope, readLeaves, readLog, sourcesOf, withdrawnIn } from "./log.js";
import { ballsOf, checkQuotas, histogram, panelAt, readLottery } from "./lottery.js";
import { checkLeaves, readInstance, readPool, seated, sitsForCertain } from "./pool.js";
import { ceilDiv } from "./rational.js";
import { byHand, position, readReveals, seeds } from "./sources.js";
import { checkSealed, checkSuccession } from "./succession.js";
import { checkTimestamps } from "./timestamps.js";
import { MOST_FILE, MOST_RECORD } from "./zip.js";

const PARTS = ["instance", "pool", "lottery", "certificate"];
const PUBLIC = /^public\/(?:declaration\.json|leaves\.txt|entry-(0\d{3})\.json)$/;
const AUDITOR = /^auditor\/(instance|pool|lottery|certificate)-(0|[1-9]\d?)\.json$/;
const SEALED = "sealed/people.json";

/** Why a check has nothing to do. */
class Nothing extends Error {}

const nothing = (why) => {
  throw new Nothing(why);
};

function checkFiles(record) {
  const { files } = record;
  const entries = new Set();
  const rounds = new Map();
  let all = 0;
  for (const [name, bytes] of files) {
    const open = PUBLIC.exec(name);
    const auditor = AUDITOR.exec(name);
    must(open || auditor || name === SEALED, `${name} is no file of a record`);
    must(bytes.length <= MOST_FILE, `${name} is larger than 256 MiB`);
    all += bytes.length;
    if (open?.[1]) entries.add(Number(open[1]));
    if (auditor) rounds.set(Number(auditor[2]), (rounds.get(Number(auditor[2])) ?? 0) + 1);
  }
  must(all <= MOST_RECORD, "the record is larger than 1 GiB");
  for (const name of ["public/declaration.json", "public/leaves.txt"]) must(files.has(name), `${name} is missing`);
  must(entries.size > 0, "public/entry-0001.json is missing");
  for (let i = 1; i <= entries.size; i++) must(entries.has(i), `public/entry-${String(i).padStart(4, "0")}.json is missing`);
  must(rounds.size === 0 || rounds.has(0), "auditor: the files of round 0 are missing");
  for (const [round, parts] of rounds) must(parts === PARTS.length, `auditor: not the four files of round ${round}`);
  must(!files.has(SEALED) || rounds.size > 0, "there is a sealed tier without the auditor tier");
  record.count = entries.size;
  record.auditorRounds = [...rounds.keys()].sort(byNumber);
}

async function checkEncoding(record, pace) {
  const read = (name) => {
    try {
      return parse(record.files.get(name));
    } catch (error) {
      throw error instanceof Fault ? new Fault(`${name}: ${error.message}`) : error;
    }
  };
  record.json = new Map();
  for (const name of record.files.keys()) {
    if (name.endsWith(".json")) record.json.set(name, read(name));
    await pace.pause();
  }
  record.envelopes = [];
  for (let i = 1; i <= record.count; i++) {
    const name = `entry-${String(i).padStart(4, "0")}.json`;
    record.envelopes.push(readEnvelope(record.json.get(`public/${name}`), name));
  }
}

async function checkCommitment(record, pace) {
  const { log, files } = record;
  const declared = toHex(await sha256(files.get("public/declaration.json")));
  const root = toHex(await treeRoot(record.leaves.lines.map(fromHex), pace));
  const rounds = record.auditorRounds;
  const committed = log.rounds.map(({ round }) => round);
  must(rounds.length === 0 || write(rounds) === write(committed), `the auditor tier has the rounds ${rounds.join()}, committed are ${committed.join()}`);
  record.root = root;
  const gone = [...withdrawnIn(log).values()];
  for (const { commitment: entry } of log.rounds) {
    const what = `entry ${entry.number}`;
    const people = record.declaration.people - gone.filter((number) => number < entry.number).length;
    must(entry.body.summary.people === people, `${what}: its summary has ${entry.body.summary.people} people in place of ${people}`);
    must(entry.body.declaration === declared, `${what}: declaration.json is another (${declared})`);
    must(entry.body.leaves === root, `${what}: the root of the leaves is another (${root})`);
    if (rounds.length === 0) continue;
    const digests = [];
    for (const part of PARTS) digests.push(await sha256(files.get(`auditor/${part}-${entry.body.round}.json`)));
    const auditor = toHex(await seq("klero/auditor/v1", digests));
    must(entry.body.auditor === auditor, `${what}: the auditor's files are others (${auditor})`);
  }
}

/** The entries of draws, at least one. */
function drawn(record) {
  const draws = record.log.rounds.flatMap(({ draw }) => (draw ? [draw] : []));
  return draws.length ? draws : nothing("nothing is drawn");
}

const committedIn = (record, round) => record.log.rounds.find((one) => one.round === round).commitment;

async function checkRandomness(record) {
  const { declaration, log } = record;
  if (!log.rounds.some(({ reading, draw }) => reading || draw)) nothing("nothing is drawn");
  for (const { round, reading, draw } of log.rounds) {
    if (reading) reading.reveals = await readReveals(reading.body.reveals, byHand(declaration.rounds[round]), `entry ${reading.number}`);
    if (!draw) continue;
    const what = `entry ${draw.number}`;
    must(draw.body.fallback === "no" || (round === 0 && declaration.fallbackSource !== null), `${what}: there is no fallback to use`);
    draw.reveals = await readReveals(draw.body.reveals, sourcesOf(draw, declaration), what);
    const repeated = draw.body.reveals.filter((reveal) => reveal.kind !== "drand");
    must(!reading || write(repeated) === write(reading.body.reveals), `${what}: its reveals are not those that entry ${reading?.number} has read`);
  }
}

async function checkBeacon(record, pace) {
  const all = drawn(record).flatMap((entry) => entry.reveals.filter((reveal) => reveal.kind === "drand").map((reveal) => ({ entry, reveal })));
  if (all.length === 0) nothing("no drand round is used");
  for (const { entry, reveal } of all) {
    const good = await beaconVerifies(reveal.chain, reveal.round, reveal.previous, reveal.signature);
    must(good, `entry ${entry.number}: the signature of drand round ${reveal.round} does not verify`);
    await pace.pause();
  }
}

async function checkSeed(record) {
  for (const entry of drawn(record)) {
    entry.seeds = await seeds(committedIn(record, entry.body.round).hash, entry.reveals);
    const seed = toHex(entry.seeds.tickets);
    must(entry.body.seed === seed, `entry ${entry.number}: the seed is ${seed}`);
  }
}

async function checkIndex(record) {
  for (const entry of drawn(record)) {
    const found = await position(entry.seeds.index, entry.reveals, record.declaration.denominator);
    must(entry.body.position === found.position, `entry ${entry.number}: the position is ${found.position}, not ${entry.body.position}`);
    must(entry.body.rejected === found.rejected, `entry ${entry.number}: ${found.rejected} were rejected, not ${entry.body.rejected}`);
  }
}

/** Call `work` for each round of the auditor tier, with its number and its file of the kind. */
async function eachRound(record, part, work) {
  if (record.auditorRounds.length === 0) nothing("the auditor tier is not here");
  for (const round of record.auditorRounds) {
    if (!record.rounds.has(round)) record.rounds.set(round, {});
    await work(round, record.rounds.get(round), record.json.get(`auditor/${part}-${round}.json`));
  }
}

function checkSummary(record) {
  return eachRound(record, "certificate", (round, have) => {
    const { body } = committedIn(record, round);
    const [a, b] = have.certificate.gap;
    const summary = {
      gap: Number(ceilDiv(a * 10n ** 6n, b)),
      histogram: histogram(have.balls, have.pool, have.instance.denominator, (t) => !sitsForCertain(have.pool.types[t], have.instance)),
      level: have.certificate.level,
      people: have.pool.leaves.length,
    };
    must(write(body.summary) === write(summary), `round ${round}: the summary is ${write(summary)}`);
  });
}

/** The tickets of people, each given by leaf and c_id (bytes, one after the other), under a draw's seed. */
export const tickets = async (seed, people, pace) => hmacs(await hmac(seed, utf8("klero/tickets/v1")), people, pace);

async function checkPanel(record, pace) {
  for (const entry of drawn(record)) {
    const { instance, pool, panels } = record.rounds.get(entry.body.round);
    const { openings } = record.rounds.get(0).pool; // in leaf order: all leaves are in round 0
    const people = pool.leaves.map((leaf) => fromHex(record.leaves.lines[leaf] + openings[leaf][0]));
    const seats = panelAt(panels, entry.body.position);
    const panel = seated(seats, pool, instance, await tickets(entry.seeds.tickets, people, pace)).map((leaf) => record.leaves.lines[leaf]);
    must(write(panel) === write(entry.body.panel), `entry ${entry.number}: the tickets give another panel`);
  }
}

// name, needs, work. `work` gets the record, on which it leaves what later checks need, and the pace; a text that it returns is the detail.
const CHECKS = [
  ["files", [], checkFiles],
  ["encoding", ["files"], checkEncoding],
  ["declaration", ["encoding"], (r) => {
    r.declaration = readDeclaration(r.json.get("public/declaration.json"));
  }],
  ["leaves", ["declaration"], async (r, pace) => {
    r.leaves = await readLeaves(r.files.get("public/leaves.txt"), r.declaration.people, pace);
  }],
  ["log", ["declaration"], async (r) => void (r.log = await readLog(r.envelopes, r.declaration))],
  ["signatures", ["log"], (r) => checkSignatures(r.log, r.declaration)],
  ["commitment", ["leaves", "log"], checkCommitment],
  ["times", ["log"], (r) => checkTimes(r.log, r.declaration)],
  ["randomness", ["log"], checkRandomness],
  ["beacon", ["signatures", "randomness"], checkBeacon],
  ["draw.seed", ["commitment", "randomness"], checkSeed],
  ["draw.index", ["draw.seed"], checkIndex],
  ["draw.people", ["leaves", "log"], (r) => {
    if (!r.log.entries.some((entry) => entry.kind === "draw" || entry.kind === "withdrawals")) nothing("nothing is drawn, nobody has withdrawn");
    checkPeople(r.log, r.declaration, r.leaves.places);
  }],
  ["timestamps", ["log"], async (r) => {
    if (!r.log.entries.some((entry) => entry.kind === "timestamp")) nothing("there is no time-stamp");
    await checkTimestamps(r.log, r.declaration, r.files);
  }],
  ["timestamps.signature", ["timestamps"], () => nothing("the authority's certificate is not given to this page")],
  ["instance", ["commitment"], (r) => eachRound(r, "instance", (round, have, value) => {
    have.instance = readInstance(value, round, r.declaration, committedIn(r, round));
  })],
  ["pool", ["instance"], (r, pace) => eachRound(r, "pool", async (round, have, value) => {
    have.pool = readPool(value, round, have.instance, r.declaration);
    if (round === 0) await checkLeaves(have.pool, have.instance, r.declaration, r.leaves, pace);
  })],
  ["lottery", ["pool"], (r) => eachRound(r, "lottery", (round, have, value) => {
    have.panels = readLottery(value, round, have.instance, have.pool);
    have.balls = ballsOf(have.panels, have.pool);
  })],
  ["quotas", ["lottery"], (r, pace) => eachRound(r, "lottery", (round, have) => checkQuotas(have.panels, round, have.instance, have.pool, pace))],
  ["certificate", ["pool"], (r, pace) => eachRound(r, "certificate", async (round, have, value) => {
    have.certificate = await checkCertificate(value, round, have.instance, have.pool, pace);
  })],
  ["gap", ["quotas", "certificate"], (r) => eachRound(r, "certificate", (round, have) => checkGap(have.certificate, round, have.instance, have.pool, have.balls))],
  ["summary", ["gap"], checkSummary],
  ["draw.panel", ["quotas", "draw.index", "draw.people"], checkPanel],
  ["succession", ["pool", "draw.people"], (r) => {
    if (r.auditorRounds.length < 2) nothing("there is no second round");
    for (let i = 1; i < r.log.rounds.length; i++) checkSuccession(r, r.log.rounds[i - 1], r.log.rounds[i]);
  }],
  ["sealed", ["pool"], async (r, pace) => {
    if (!r.json.has(SEALED)) nothing("the sealed tier is not here");
    return checkSealed(r, r.json.get(SEALED), pace);
  }],
];

export const NAMES = CHECKS.map(([name]) => name);

async function outcome([name, needs, work], record, pace, status) {
  const failed = needs.find((need) => status.get(need) === "FAIL");
  if (failed) return { name, status: "FAIL", detail: `not checked: ${failed} failed`, because: failed };
  const open = needs.find((need) => status.get(need) === "--");
  if (open) return { name, status: "--", detail: `not checked: ${open} was not checked`, because: open };
  try {
    const said = await work(record, pace);
    return { name, status: "ok", detail: typeof said === "string" ? said : "" };
  } catch (error) {
    if (error instanceof Nothing) return { name, status: "--", detail: error.message };
    const detail = error instanceof Fault ? error.message : `it could not be checked (${error})`;
    return { name, status: "FAIL", detail };
  }
}

export const AT_ONCE = { pause: () => undefined };

/**
 * Check a record. `files`: a Map of name to bytes. `seen(check, record)` is called after each check, and says whether to go on.
 * Returns the checks as [{name, status: "ok" | "FAIL" | "--", detail, because?}] and the record as far as it was read.
 */
export async function verify(files, { pace = AT_ONCE, seen = () => true } = {}) {
  const record = { files, rounds: new Map() };
  const status = new Map();
  const checks = [];
  for (const check of CHECKS) {
    const done = await outcome(check, record, pace, status);
    status.set(done.name, done.status);
    checks.push(done);
    if (!seen(done, record)) break;
    await pace.pause();
  }
  return { checks, record };
}

/** All checks as failed, where the files could not even be had: a ZIP that is not a record's, a folder that is too large. */
export const unreadable = (detail) =>
  NAMES.map((name, i) => ({ name, status: "FAIL", detail: i ? "not checked: files failed" : detail, ...(i ? { because: "files" } : {}) }));

