// The signed log: envelopes, the entries in them, their order, signatures and times.

import { byNumber, fields, filled, fromUtf8, hex, isText, list, must, oneOf, parse, rising, shown, whole, write } from "./canonical.js";
import { ed25519Verifies, preAuthentication } from "./curves.js";
import { MOST } from "./declaration.js";
import { fromBase64, fromHex, seq, sha256, toHex } from "./hashes.js";
import { beaconOf, byHand, time } from "./sources.js";

const TYPE = "application/vnd.klero.entry+json";
const LINES = 8192; // of leaves.txt, read at a time
const CODES = ["declined", "ineligible", "other", "unreachable"];

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** An envelope's payload and signatures: {bytes, payload (parsed), signatures: [{keyid, sig (bytes)}]}. */
export function readEnvelope(value, what) {
  fields(value, ["payload", "payloadType", "signatures"], what);
  oneOf(value.payloadType, [TYPE], `${what}, payloadType`);
  must(isText(value.payload), `${what}: payload is not a text`);
  const bytes = fromBase64(value.payload, `${what}, payload`);
  const signatures = list(value.signatures, `${what}, signatures`).map((signature) => {
    fields(signature, ["keyid", "sig"], `${what}, signatures`);
    hex(signature.keyid, 32, `${what}, keyid`);
    must(isText(signature.sig), `${what}: sig is not a text`);
    const sig = fromBase64(signature.sig, `${what}, sig`);
    must(sig.length === 64, `${what}: a signature has not 64 bytes`);
    return { keyid: signature.keyid, sig };
  });
  rising(signatures, (a, b) => byText(a.keyid, b.keyid), `${what}, signatures`);
  return { bytes, payload: parse(bytes), signatures };
}

function readSummary(summary, tolerance, what) {
  fields(summary, ["gap", "histogram", "level", "people"], what);
  whole(summary.gap, 0, tolerance, `${what}, gap`);
  oneOf(summary.level, ["L0", "L1"], `${what}, level`);
  whole(summary.people, 0, MOST, `${what}, people`);
  let from = 0;
  for (const cell of list(summary.histogram, `${what}, histogram`)) {
    must(list(cell, `${what}, histogram`).length === 3, `${what}, histogram: not three integers`);
    must(cell[0] === from, `${what}, histogram: its cells don't meet`);
    from = whole(cell[1], from + 1, 100, `${what}, histogram`);
    whole(cell[2], 10, MOST, `${what}, histogram, people`);
  }
  must(summary.histogram.length === 0 || from === 100, `${what}, histogram: it does not end at 100`);
}

/** Quotas that a round has made wider: declared cells, in their order, wider than declared. */
function readLoosened(loosened, round, declaration, what) {
  list(loosened, what);
  must(round > 0 || loosened.length === 0, `${what}: there can be none in round 0`);
  const cells = declaration.features.flatMap(({ name, values }) => values.map((cell) => ({ feature: name, ...cell })));
  const placeOf = new Map(cells.map((cell, place) => [write([cell.feature, cell.value]), place]));
  const places = loosened.map((item) => {
    must(list(item, what).length === 4, `${what}: not feature, value, min and max`);
    const [feature, value, min, max] = item;
    const place = placeOf.get(write([feature, value]));
    must(place !== undefined, `${what}: ${shown(feature)}, ${shown(value)} is no declared quota`);
    whole(min, 0, MOST, `${what}, min`);
    whole(max, min, MOST, `${what}, max`);
    const cell = cells[place];
    must(min <= cell.min && max >= cell.max && (min < cell.min || max > cell.max), `${what}: ${shown(feature)}, ${shown(value)} is not wider than declared`);
    return place;
  });
  rising(places, byNumber, what);
}

const BODIES = {
  commitment(body, what, declaration) {
    fields(body, ["auditor", "declaration", "leaves", "loosened", "round", "summary"], what);
    for (const name of ["auditor", "declaration", "leaves"]) hex(body[name], 32, `${what}, ${name}`);
    whole(body.round, 0, 99, `${what}, round`);
    readLoosened(body.loosened, body.round, declaration, `${what}, loosened`);
    readSummary(body.summary, declaration.tolerance, `${what}, summary`);
  },
  draw(body, what) {
    fields(body, ["fallback", "panel", "position", "rejected", "reveals", "round", "seed"], what);
    oneOf(body.fallback, ["no", "yes"], `${what}, fallback`);
    for (const leaf of list(body.panel, `${what}, panel`)) hex(leaf, 32, `${what}, panel`);
    whole(body.position, 0, MOST, `${what}, position`);
    whole(body.rejected, 0, MOST, `${what}, rejected`);
    list(body.reveals, `${what}, reveals`);
    whole(body.round, 0, 99, `${what}, round`);
    hex(body.seed, 32, `${what}, seed`);
  },
  reading(body, what) {
    fields(body, ["reveals", "round"], what);
    list(body.reveals, `${what}, reveals`);
    whole(body.round, 0, 99, `${what}, round`);
  },
  withdrawals(body, what) {
    fields(body, ["withdrawals"], what);
    must(list(body.withdrawals, what).length > 0, `${what}: empty`);
    for (const item of body.withdrawals) {
      must(list(item, what).length === 2, `${what}: not a leaf and a code`);
      hex(item[0], 32, `${what}, leaf`);
      oneOf(item[1], CODES, `${what}, code`);
    }
    rising(body.withdrawals, (a, b) => byText(a[0], b[0]), what);
  },
  timestamp(body, what, declaration, number) {
    fields(body, ["entry", "token"], what);
    whole(body.entry, 1, number - 1, `${what}, entry`);
    must(isText(body.token), `${what}: token is not a text`);
    fromBase64(body.token, `${what}, token`);
  },
  abort(body, what) {
    fields(body, ["reason"], what);
    filled(body.reason, `${what}, reason`);
  },
};

/** The log: {entries, rounds: [{round, commitment, reading or null, draw or null}, …]}, as committed; entries have hash, number and instant. */
export async function readLog(envelopes, declaration) {
  const entries = [];
  let previous = "";
  for (const [i, envelope] of envelopes.entries()) {
    const number = i + 1;
    const what = `entry ${number}`;
    const { payload } = envelope;
    fields(payload, ["body", "draw", "format", "kind", "previous", "sequence", "time"], what);
    oneOf(payload.format, ["klero-entry/1"], `${what}, format`);
    oneOf(payload.kind, Object.keys(BODIES), `${what}, kind`);
    must(payload.draw === declaration.draw, `${what}: of another draw, ${shown(payload.draw)}`);
    must(payload.sequence === number, `${what}: its number is ${shown(payload.sequence)}`);
    must(payload.previous === previous, `${what}: it does not follow entry ${number - 1}`);
    BODIES[payload.kind](payload.body, what, declaration, number);
    const hash = await seq("klero/entry/v1", [envelope.bytes]);
    entries.push({ ...envelope, ...payload, number, hash, instant: time(payload.time, `${what}, time`) });
    previous = toHex(hash);
  }
  return { entries, rounds: readOrder(entries, declaration) };
}

/** Are a round's sources drand and others, which are read out and signed before the beacon is known? */
const isRead = (sources) => beaconOf(sources) !== undefined && sources.length > 1;

function readOrder(entries, declaration) {
  const rounds = [];
  let withdrawnSince = false; // after the latest commitment
  entries.forEach((entry, i) => {
    const what = `entry ${entry.number}`;
    const { round } = entry.body;
    const last = rounds[rounds.length - 1];
    must(i === 0 || entries[i - 1].kind !== "abort", `${what}: it follows an abort`);
    must(i > 0 || entry.kind === "commitment", `${what}: the first entry is not a commitment`);
    if (entry.kind === "commitment") {
      must(last ? round > last.round : round === 0, `${what}: round ${round} is committed out of turn`);
      must(!last || last.draw, `${what}: round ${round} is committed before the draw of the round before`);
      must(!last || withdrawnSince, `${what}: round ${round} without a withdrawal before it`);
      must(round < declaration.rounds.length, `${what}: the calendar has no round ${round}`);
      rounds.push({ round, commitment: entry, reading: null, draw: null });
      withdrawnSince = false;
    } else if (entry.kind === "reading") {
      must(round === last.round && last.draw === null && last.reading === null, `${what}: round ${round} is read out of turn`);
      must(isRead(declaration.rounds[round]), `${what}: round ${round} has no sources to be read before a beacon`);
      last.reading = entry;
    } else if (entry.kind === "draw") {
      must(round === last.round && last.draw === null, `${what}: round ${round} is drawn out of turn`);
      must(last.reading || !isRead(declaration.rounds[round]), `${what}: round ${round} is drawn without a reading before the beacon`);
      last.draw = entry;
    } else if (entry.kind === "withdrawals") {
      withdrawnSince = true;
    }
  });
  return rounds;
}

/** Each entry carries good signatures of declared keys alone, at least the threshold of them, and not the organiser's alone. */
export async function checkSignatures(log, declaration) {
  const keys = new Map();
  const others = new Set(); // ids of keys that are not the organiser's
  for (const { key, role } of declaration.keys) {
    const keyid = toHex(await sha256(fromHex(key)));
    keys.set(keyid, key);
    if (role !== "organiser") others.add(keyid);
  }
  for (const entry of log.entries) {
    const what = `entry ${entry.number}`;
    const message = preAuthentication(TYPE, entry.bytes);
    for (const { keyid, sig } of entry.signatures) {
      must(keys.has(keyid), `${what}: signed by a key that is not declared, ${keyid}`);
      must(await ed25519Verifies(keys.get(keyid), message, sig), `${what}: the signature of key ${keys.get(keyid)} does not verify`);
    }
    must(entry.signatures.length >= declaration.threshold, `${what}: ${entry.signatures.length} signatures, ${declaration.threshold} are needed`);
    must(entry.signatures.some(({ keyid }) => others.has(keyid)), `${what}: signed by the organiser's keys alone`);
  }
}

/** The sources that a draw answers: with the fallback, its drand round in place of the declared one. */
export function sourcesOf(draw, declaration) {
  const sources = declaration.rounds[draw.body.round];
  const other = declaration.fallbackSource;
  if (draw.body.fallback === "no" || draw.body.round > 0 || other === null) return sources;
  return sources.map((source) => (source.said.kind === "drand" ? other : source));
}

/** Times never run backwards, and every commitment stood long enough before its randomness. */
export function checkTimes(log, declaration) {
  log.entries.forEach((entry, i) => {
    const what = `entry ${entry.number}`;
    must(i === 0 || entry.instant >= log.entries[i - 1].instant, `${what}: its time is before that of the entry before`);
    if (entry.kind === "commitment") {
      for (const source of declaration.rounds[entry.body.round]) {
        must(entry.instant + BigInt(declaration.notice) <= source.time, `${what}: fewer than ${declaration.notice} s before the ${source.said.kind}`);
      }
    }
    if (entry.kind === "reading") {
      const sources = declaration.rounds[entry.body.round];
      for (const source of byHand(sources)) must(entry.instant >= source.time, `${what}: read before the ${source.said.kind}`);
      must(entry.instant < beaconOf(sources).time, `${what}: read when the beacon's round was known`);
    }
    if (entry.kind === "draw") {
      for (const source of sourcesOf(entry, declaration)) must(entry.instant >= source.time, `${what}: drawn before the ${source.said.kind}`);
    }
  });
}

/** Leaf (hexadecimal) → number of the entry in which it was withdrawn first. */
export function withdrawnIn(log) {
  const out = new Map();
  for (const entry of log.entries) {
    if (entry.kind !== "withdrawals") continue;
    for (const [leaf] of entry.body.withdrawals) if (!out.has(leaf)) out.set(leaf, entry.number);
  }
  return out;
}

/** Panels are k people of the record who had not withdrawn; who withdraws is of the record, and does so once. */
export function checkPeople(log, declaration, places) {
  const gone = withdrawnIn(log);
  for (const entry of log.entries) {
    const what = `entry ${entry.number}`;
    if (entry.kind === "withdrawals") {
      for (const [leaf] of entry.body.withdrawals) {
        must(places.has(leaf), `${what}: withdrawn leaf ${leaf} is not one of the record`);
        must(gone.get(leaf) === entry.number, `${what}: leaf ${leaf} had been withdrawn before`);
      }
    }
    if (entry.kind === "draw") {
      const { panel } = entry.body;
      const place = log.rounds.findIndex((one) => one.draw === entry);
      const { commitment } = log.rounds[place];
      must(panel.length === declaration.size, `${what}: a panel of ${panel.length} in place of ${declaration.size}`);
      rising(panel, byText, `${what}, panel`);
      for (const leaf of panel) {
        must(places.has(leaf), `${what}: leaf ${leaf} on the panel is not one of the record`);
        must(!(gone.get(leaf) < commitment.number), `${what}: leaf ${leaf} on the panel had been withdrawn`);
      }
      if (place === 0) continue;
      const before = log.rounds[place - 1].draw.body.panel;
      const kept = before.filter((leaf) => !(gone.get(leaf) < commitment.number));
      const here = new Set(panel);
      must(kept.length < before.length, `${what}: nobody of the panel before has withdrawn`);
      for (const leaf of kept) must(here.has(leaf), `${what}: leaf ${leaf} had a seat and has lost it`);
    }
  }
}

/** The leaves of leaves.txt: {lines, places: Map leaf → number}. */
export async function readLeaves(bytes, people, pace) {
  must(bytes.length === 65 * people, `leaves.txt: not ${people} lines of 64 digits`);
  const lines = [];
  const places = new Map();
  for (let start = 0; start < bytes.length; start += 65 * LINES) {
    const chunk = fromUtf8(bytes.subarray(start, start + 65 * LINES));
    must(/^(?:[0-9a-f]{64}\n)*$/.test(chunk), "leaves.txt: a line is not 64 lower-case hexadecimal digits");
    for (let i = 0; i < chunk.length; i += 65) {
      const leaf = chunk.slice(i, i + 64);
      must(lines.length === 0 || lines[lines.length - 1] < leaf, `leaves.txt: out of order or twice, at line ${lines.length + 1}`);
      places.set(leaf, lines.length);
      lines.push(leaf);
    }
    await pace.pause();
  }
  return { lines, places };
}
