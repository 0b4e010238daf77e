// Later rounds follow from the first, and the sealed names belong to the leaves.

import { compareNumbers, fields, filled, hex, isText, list, must, oneOf, utf8, write } from "./canonical.js";
import { HOUSEHOLD, MUST_SIT } from "./declaration.js";
import { eachOf, fromHex, hmac, toHex } from "./hashes.js";
import { leafOf, openingsOf, sitsForCertain } from "./pool.js";
import { withdrawnIn } from "./log.js";

/** Declared values and weight of each person, by leaf number, as one text. */
function profiles({ instance, pool }) {
  const declared = instance.features.flatMap((feature, f) => (feature.name === HOUSEHOLD || feature.name === MUST_SIT ? [] : [f]));
  const ofType = pool.types.map((type, t) => write([...declared.map((f) => instance.features[f].values[type[f]].value), pool.weights[t]]));
  return new Map(pool.leaves.map((leaf, i) => [leaf, ofType[pool.typeOf[i]]]));
}

const homes = (pool) => pool.households.map((home) => home.map((i) => pool.leaves[i]));

/** A later round has everybody who had not withdrawn, as in round 0, and keeps the panel of the one before it, without those. */
export function checkSuccession(record, previous, { round, commitment }) {
  const { log, leaves } = record;
  const what = `round ${round}`;
  const gone = withdrawnIn(log);
  const before = commitment.number;
  const stays = (leaf) => !(gone.get(leaf) < before);
  const { instance, pool } = record.rounds.get(round);
  const expected = leaves.lines.flatMap((leaf, i) => (stays(leaf) ? [i] : []));
  must(compareNumbers(pool.leaves, expected) === 0, `${what}: its people are not all who had not withdrawn`);

  const panel = previous.draw.body.panel;
  const kept = new Set(panel.filter(stays).map((leaf) => leaves.places.get(leaf)));
  must(kept.size < panel.length, `${what}: nobody of the panel before has withdrawn`);
  must((instance.mustSit >= 0) === (kept.size > 0), `${what}: ${MUST_SIT} is there without anybody, or missing`);
  const sits = (i) => sitsForCertain(pool.types[pool.typeOf[i]], instance);
  pool.leaves.forEach((leaf, i) => must(sits(i) === kept.has(leaf), `${what}: leaf ${leaf} wrongly keeps a seat, or wrongly does not`));

  const first = profiles(record.rounds.get(0));
  for (const [leaf, profile] of profiles(record.rounds.get(round))) {
    must(profile === first.get(leaf), `${what}: leaf ${leaf} has other values or another weight than in round 0`);
  }
  const here = new Set(expected);
  const left = homes(record.rounds.get(0).pool).map((home) => home.filter((leaf) => here.has(leaf))).filter((home) => home.length > instance.household);
  must(write(homes(pool)) === write(left.sort(compareNumbers)), `${what}: its households are not those of round 0`);
}

/** Names and salts: each gives its leaf; nobody stands twice. Returns how many there are, and how many salts were destroyed. */
export async function checkSealed(record, value, pace) {
  const what = "sealed/people.json";
  const { declaration, leaves } = record;
  const { instance, pool } = record.rounds.get(0);
  fields(value, ["draw", "format", "people"], what);
  oneOf(value.format, ["klero-sealed/1"], `${what}, format`);
  must(value.draw === declaration.draw, `${what}: of another draw`);
  must(list(value.people, what).length === leaves.lines.length, `${what}: not one place a leaf`);
  const ids = new Set();
  value.people.forEach((person, i) => {
    const place = `${what}, place ${i}`;
    list(person, place);
    if (person.length === 0) return;
    must(person.length === 2, `${place}: not identity and salt`);
    readIdentity(person[0], place);
    must(!ids.has(person[0].id), `${place}: an id that stands twice`);
    ids.add(person[0].id);
    hex(person[1], 32, `${place}, salt`);
  });
  const opening = openingsOf(pool, instance);
  const places = value.people.flatMap((person, i) => (person.length ? [i] : []));
  await eachOf(places, async (i) => {
    const [identity, salt] = value.people[i];
    const { leaf } = await personOf(declaration.draw, identity, fromHex(salt), opening(i));
    must(leaf === leaves.lines[i], `${what}: leaf ${i} does not follow from its identity and salt`);
  }, pace);
  return `people: ${places.length}, salts destroyed: ${value.people.length - places.length}`;
}

/** An object of texts with an `id` that is not empty. */
export function readIdentity(identity, what) {
  must(typeof identity === "object" && identity !== null && !Array.isArray(identity), `${what}: an identity is not an object`);
  filled(identity.id, `${what}, id`);
  for (const value of Object.values(identity)) must(isText(value), `${what}: an identity has a value that is not a text`);
}

/** What identity, salt and opening (bytes) give: {leaf (hexadecimal), cId (bytes)}. */
export async function personOf(draw, identity, salt, opening) {
  const cId = await hmac(await hmac(salt, utf8("klero/salt/id/v1")), utf8(write(identity)));
  const leaf = await leafOf(draw, cId, await hmac(salt, utf8("klero/salt/type/v1")), opening);
  return { leaf: toHex(leaf), cId };
}
