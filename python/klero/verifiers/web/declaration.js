// The declaration: the rules of a draw, read before anything else of it.

import { compareText, fields, filled, hex, isText, isWhole, list, must, oneOf, rising, shown, text, whole } from "./canonical.js";
import { isKey } from "./curves.js";
import { beaconOf, readSources } from "./sources.js";

export const MOST = Number.MAX_SAFE_INTEGER;
export const OBJECTIVES = ["goldilocks", "leximin", "maximin", "minimax", "nash"];
export const CLAIMING = ["goldilocks", "minimax", "nash"]; // the objectives whose certificate has a claim
export const HOUSEHOLD = "(household)";
export const MUST_SIT = "(must sit)";
const ROLES = ["guarantor", "organiser", "witness"];
const FIELDS = ["algorithm", "calendar", "denominator", "draw", "fallback", "features", "format", "household", "keys", "must_sit", "notice",
  "objective", "organiser", "people", "protocol", "question", "sequence", "size", "sources", "threshold", "title", "tolerance"];

/** Is this the name (ID) of a draw? */
export const isId = (value) => isText(value) && /^[a-z0-9-]{1,60}$/.test(value);

/** Features in their form: sorted by name, values by value, 0 ≤ min ≤ max. */
export function readFeatures(value, what) {
  list(value, what);
  value.forEach((feature, i) => {
    const place = `${what}, ${i}`;
    fields(feature, ["name", "values"], place);
    text(feature.name, `${place}, name`);
    list(feature.values, `${place}, values`);
    for (const cell of feature.values) {
      fields(cell, ["max", "min", "value"], place);
      text(cell.value, `${place}, value`);
      whole(cell.min, 0, MOST, `${place}, ${shown(cell.value)}, min`);
      whole(cell.max, cell.min, MOST, `${place}, ${shown(cell.value)}, max`);
    }
    rising(feature.values, (a, b) => compareText(a.value, b.value), `${place}, values`);
  });
  rising(value, (a, b) => compareText(a.name, b.name), what);
  return value;
}

function readKeys(keys, threshold) {
  list(keys, "keys");
  must(keys.length >= 2 && keys.length <= 10, "keys: not 2 to 10");
  keys.forEach((key, i) => {
    const place = `keys, ${i}`;
    fields(key, ["key", "name", "role"], place);
    hex(key.key, 32, `${place}, key`);
    must(isKey(key.key), `${place}: ${key.key} is no Ed25519 public key`);
    filled(key.name, `${place}, name`);
    oneOf(key.role, ROLES, `${place}, role`);
  });
  rising(keys, (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0), "keys");
  must(keys.some((key) => key.role !== "organiser"), "keys: all are the organiser's");
  whole(threshold, 2, keys.length, "threshold");
}

/** The declaration, with `digitsOfM`, and its sources as readSources gives them: `rounds` (one list a round), `fallbackSource` or null. */
export function readDeclaration(value) {
  fields(value, FIELDS, "declaration.json");
  oneOf(value.format, ["klero-record/1"], "format");
  oneOf(value.protocol, ["klero-draw/1"], "protocol");
  oneOf(value.algorithm, ["klero-lottery/2"], "algorithm");
  must(isId(value.draw), `draw: ${shown(value.draw)} is no name of a draw`);
  whole(value.sequence, 1, MOST, "sequence");
  filled(value.organiser, "organiser");
  filled(value.title, "title");
  text(value.question, "question");
  readKeys(value.keys, value.threshold);
  whole(value.notice, 86400, 31536000, "notice");
  whole(value.tolerance, 0, 10 ** 9, "tolerance");
  const digitsOfM = String(value.denominator).length - 1;
  must(isWhole(value.denominator, 10 ** 6, 10 ** 12) && value.denominator === 10 ** digitsOfM, "denominator: not 10^6 to 10^12");
  whole(value.people, 1, MOST, "people");
  whole(value.size, 1, value.people, "size");
  whole(value.must_sit, 0, value.size, "must_sit");
  whole(value.household, 0, MOST, "household");
  oneOf(value.objective, OBJECTIVES, "objective");
  readFeatures(value.features, "features");
  for (const feature of value.features) {
    must(feature.values.length > 0, `features: ${shown(feature.name)} has no values`);
    must(![HOUSEHOLD, MUST_SIT].includes(feature.name), `features: ${feature.name} is the rules' own`);
  }
  const rounds = [readSources(value.sources, "sources", digitsOfM)];
  list(value.calendar, "calendar");
  must(value.calendar.length <= 99, "calendar: more than 99 rounds");
  value.calendar.forEach((sources, i) => rounds.push(readSources(sources, `calendar, ${i}`, digitsOfM)));
  return { ...value, digitsOfM, rounds, fallbackSource: readFallback(value.fallback, rounds[0], digitsOfM) };
}

function readFallback(value, sources, digitsOfM) {
  list(value, "fallback");
  if (value.length === 0) return null;
  must(value.length === 1, "fallback: more than one source");
  const [source] = readSources(value, "fallback", digitsOfM);
  const declared = beaconOf(sources);
  must(source.said.kind === "drand" && declared, "fallback: only for drand, and by drand");
  must(source.said.chain !== declared.said.chain, "fallback: not of the other chain");
  must(source.time > declared.time, "fallback: not later than the declared round");
  return source;
}
