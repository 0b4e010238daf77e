// What the auditor tier adds: each round's quotas (instance) and people by type (pool), and that they are those committed to.

import { byNumber, compareNumbers, fields, hex, isHex, list, must, oneOf, rising, shown, utf8, whole, write } from "./canonical.js";
import { HOUSEHOLD, MUST_SIT, readFeatures } from "./declaration.js";
import { compareBytes, eachOf, fromHex, hmac, seq, toHex } from "./hashes.js";

const MOST_WEIGHT = 10 ** 12;
const ALONE = "alone";
const own = (feature) => feature.name === HOUSEHOLD || feature.name === MUST_SIT;

/** An instance, held against the declaration and the round's commitment. Adds `cells`, `firstCell`, places of the rules' own features. */
export function readInstance(value, round, declaration, commitment) {
  const what = `instance-${round}.json`;
  fields(value, ["algorithm", "blind", "denominator", "features", "format", "household", "objective", "people", "size"], what);
  oneOf(value.format, ["klero-instance/1"], `${what}, format`);
  for (const name of ["algorithm", "denominator", "household", "objective", "size"]) {
    must(value[name] === declaration[name], `${what}, ${name}: ${shown(value[name])} is not the declared ${shown(declaration[name])}`);
  }
  hex(value.blind, 32, `${what}, blind`);
  whole(value.people, value.size, declaration.people, `${what}, people`);
  readFeatures(value.features, `${what}, features`);
  const loosened = new Map(commitment.body.loosened.map(([feature, name, min, max]) => [write([feature, name]), { min, max }]));
  const expected = declaration.features.map(({ name, values }) => ({
    name,
    values: values.map((cell) => ({ ...cell, ...loosened.get(write([name, cell.value])) })),
  }));
  const declared = value.features.filter((feature) => !own(feature));
  must(write(declared) === write(expected), `${what}: the quotas are not the declared and the loosened ones`);
  const instance = { ...value, ...readCells(value.features), round };
  if (round === 0) {
    must(value.people === declaration.people, `${what}: ${value.people} people in place of ${declaration.people}`);
    const yes = instance.mustSit < 0 ? null : value.features[instance.mustSit].values.find((cell) => cell.value === "yes");
    const sits = yes === null ? 0 : yes && yes.min > 0 && yes.min === yes.max ? yes.min : -1;
    must(sits === declaration.must_sit, `${what}: not ${declaration.must_sit} people who have a seat for certain`);
  }
  return instance;
}

export function readCells(features) {
  const cells = [];
  const firstCell = [];
  for (const feature of features) {
    firstCell.push(cells.length);
    for (const cell of feature.values) cells.push(cell); // one by one: a call has a limit of arguments
  }
  const place = (name) => features.findIndex((feature) => feature.name === name);
  return { cells, firstCell, householdFeature: place(HOUSEHOLD), mustSit: place(MUST_SIT) };
}

/**
 * A pool in its form. Adds `leaves` (leaf number of each person), `typeOf`, `sizes` (people of each type), `homeOf` (household of each
 * person, −1 for none), `cellsOf` (the cells of each type).
 */
export function readPool(value, round, instance, declaration) {
  const what = `pool-${round}.json`;
  fields(value, ["households", "openings", "people", "types", "weights"], what);
  readTypes(value, instance, what);
  const sizes = new Array(value.types.length).fill(0);
  const leaves = [];
  const typeOf = [];
  for (const person of list(value.people, `${what}, people`)) {
    must(list(person, `${what}, people`).length === 2, `${what}, people: not leaf and type`);
    leaves.push(whole(person[0], 0, declaration.people - 1, `${what}, leaf number`));
    typeOf.push(whole(person[1], 0, sizes.length - 1, `${what}, type of a person`));
    sizes[person[1]]++;
  }
  rising(leaves, byNumber, `${what}, people`);
  must(leaves.length === instance.people, `${what}: ${leaves.length} people in place of ${instance.people}`);
  must(sizes.every((size) => size > 0), `${what}: a type without people`);
  const cellsOf = value.types.map((type) => type.map((v, f) => instance.firstCell[f] + v));
  const homeOf = new Array(leaves.length).fill(-1);
  const pool = { ...value, leaves, typeOf, sizes, homeOf, cellsOf, round };
  readHouseholds(pool, instance, what);
  readMustSit(pool, instance, what);
  readOpenings(pool, instance, what);
  return pool;
}

function readTypes(value, instance, what) {
  list(value.types, `${what}, types`);
  list(value.weights, `${what}, weights`);
  must(value.types.length === value.weights.length, `${what}: not one weight a type`);
  value.types.forEach((type, t) => {
    must(list(type, `${what}, type ${t}`).length === instance.features.length, `${what}, type ${t}: not one value a feature`);
    type.forEach((v, f) => whole(v, 0, instance.features[f].values.length - 1, `${what}, type ${t}`));
    whole(value.weights[t], 1, MOST_WEIGHT, `${what}, weight ${t}`);
  });
  const keys = value.types.map((type, t) => [...type, value.weights[t]]);
  rising(keys, compareNumbers, `${what}, types`);
}

function readHouseholds(pool, instance, what) {
  const { households, homeOf, typeOf } = pool;
  const m = instance.household;
  list(households, `${what}, households`);
  must(m > 0 || households.length === 0, `${what}: households without a rule for them`);
  must((m > 0) === (instance.householdFeature >= 0), `${what}: the feature ${HOUSEHOLD} is there without its rule, or missing`);
  households.forEach((home, h) => {
    must(list(home, `${what}, household ${h}`).length > m, `${what}, household ${h}: not more than ${m} people`);
    for (const i of home) {
      whole(i, 0, typeOf.length - 1, `${what}, household ${h}`);
      must(homeOf[i] < 0, `${what}, household ${h}: person ${i} is in two`);
      homeOf[i] = h;
    }
    rising(home, byNumber, `${what}, household ${h}`);
  });
  rising(households, compareNumbers, `${what}, households`);
  if (m > 0) readHomes(pool, instance, what);
}

/** The values of (household): `alone`, and one for each kind of alike households, with the quotas that go with them. */
function readHomes({ households, homeOf, typeOf, types }, instance, what) {
  const f = instance.householdFeature;
  const values = instance.features[f].values;
  const valueOf = (i) => types[typeOf[i]][f];
  homeOf.forEach((home, i) => {
    must((home < 0) === (values[valueOf(i)].value === ALONE), `${what}: person ${i} is wrongly ${ALONE}, or wrongly not`);
  });
  const counts = new Array(values.length).fill(0);
  const alike = new Map();
  households.forEach((home, h) => {
    const v = valueOf(home[0]);
    must(home.every((i) => valueOf(i) === v), `${what}, household ${h}: its people have different values of ${HOUSEHOLD}`);
    const mix = write(home.map((i) => typeOf[i]).sort(byNumber));
    if (!alike.has(v)) alike.set(v, mix);
    must(alike.get(v) === mix, `${what}, household ${h}: not like the others of its value of ${HOUSEHOLD}`);
    counts[v]++;
  });
  values.forEach((cell, v) => {
    const max = cell.value === ALONE ? instance.size : instance.household * counts[v];
    must(cell.min === 0 && cell.max === max, `${what}: the quota of ${HOUSEHOLD} ${shown(cell.value)} is not 0 to ${max}`);
  });
}

function readMustSit({ typeOf, types }, instance, what) {
  const f = instance.mustSit;
  if (f < 0) return;
  const { values } = instance.features[f];
  const names = values.map((cell) => cell.value).join();
  must(names === "no,yes" || names === "yes", `${what}: ${MUST_SIT} has other values than no and yes`);
  const counts = new Array(values.length).fill(0);
  for (const t of typeOf) counts[types[t][f]]++;
  const yes = values.length - 1;
  must(values[yes].min === counts[yes] && values[yes].max === counts[yes], `${what}: the quota of ${MUST_SIT} is not the ${counts[yes]} people who have it`);
  must(yes === 0 || counts[0] > 0, `${what}: ${MUST_SIT} has the value no, which nobody has`);
}

/** In round 0, c_id, K_type and TAG of each person; people have one TAG exactly if they are in one household of the list. */
function readOpenings({ openings, homeOf, leaves, round }, instance, what) {
  list(openings, `${what}, openings`);
  if (round > 0) {
    must(openings.length === 0, `${what}: openings in a later round`);
    return;
  }
  must(openings.length === leaves.length, `${what}: not one opening a person`);
  const firstOf = new Map(); // tag → the first person who has it
  const tagOf = new Map(); // household → its tag
  openings.forEach((opening, i) => {
    must(list(opening, `${what}, openings`).length === 3, `${what}, openings: not three values`);
    const [cId, typeKey, tag] = opening;
    hex(cId, 32, `${what}, openings`);
    hex(typeKey, 32, `${what}, openings`);
    must(instance.household > 0 ? isHex(tag, 16) : tag === "", `${what}, openings: ${shown(tag)} is not the tag that person ${i} should have`);
    if (tag === "") return;
    const home = homeOf[i];
    const other = firstOf.get(tag);
    must(other === undefined || (home >= 0 && homeOf[other] === home), `${what}, openings: persons ${other} and ${i} have one tag, but not one household`);
    firstOf.set(tag, i);
    must(home < 0 || (tagOf.get(home) ?? tag) === tag, `${what}, openings: household ${home} has two tags`);
    tagOf.set(home, tag);
  });
}

/** Has this type a seat for certain? */
export const sitsForCertain = (type, { features, mustSit }) => mustSit >= 0 && features[mustSit].values[type[mustSit]].value === "yes";

/** The canonical bytes of each person's OPENING in round 0. */
export function openingsOf(pool, instance) {
  const declared = instance.features.flatMap((feature, f) => (own(feature) ? [] : [f]));
  const attributes = pool.types.map((type) => declared.map((f) => [instance.features[f].name, instance.features[f].values[type[f]].value]));
  return (i) => {
    const t = pool.typeOf[i];
    return utf8(write({ attributes: attributes[t], household: pool.openings[i][2], weight: pool.weights[t] }));
  };
}

export const leafOf = async (draw, cId, typeKey, opening) => seq("klero/leaf/v1", [utf8(draw), cId, await hmac(typeKey, opening)]);

/** In round 0 the people are all leaves, and each leaf follows from the two values and the type. */
export async function checkLeaves(pool, instance, declaration, leaves, pace) {
  must(pool.leaves.length === leaves.lines.length, "pool-0.json: not all leaves");
  const opening = openingsOf(pool, instance);
  const places = pool.leaves.map((_, i) => i);
  await eachOf(places, async (i) => {
    const [cId, typeKey] = pool.openings[i].slice(0, 2).map(fromHex);
    const leaf = toHex(await leafOf(declaration.draw, cId, typeKey, opening(i)));
    must(leaf === leaves.lines[pool.leaves[i]], `pool-0.json: leaf ${pool.leaves[i]} does not follow from its opening and type`);
  }, pace);
}

/** The panel that a position and the tickets give, as leaf numbers, rising. */
export function seated(entry, pool, instance, tickets) {
  const { typeOf, homeOf } = pool;
  const byTicket = (i, j) => compareBytes(tickets[i], tickets[j]);
  const seats = new Map(entry);
  const people = new Map([...seats.keys()].map((t) => [t, []])); // the people of each seated type
  typeOf.forEach((t, i) => people.get(t)?.push(i));
  const drawn = [];
  const kinds = new Map(); // value of (household) → its types on the panel, lowest first
  for (const [t, places] of people) {
    if (homeOf[places[0]] < 0) {
      for (const i of places.sort(byTicket).slice(0, seats.get(t))) drawn.push(i); // not as arguments of one call, which are limited
    } else {
      const v = pool.types[t][instance.householdFeature];
      if (!kinds.has(v)) kinds.set(v, []);
      kinds.get(v).push(t);
    }
  }
  for (const types of kinds.values()) {
    const homes = [...new Set(people.get(types[0]).map((i) => homeOf[i]))].map((h) => [...pool.households[h]].sort(byTicket));
    homes.sort((a, b) => byTicket(a[0], b[0]));
    let turn = 0; // goes on from type to type
    for (const t of types) {
      for (let seat = 0; seat < seats.get(t); seat++, turn++) {
        const home = homes[turn % homes.length];
        const next = home.findIndex((i) => typeOf[i] === t);
        must(next >= 0, "a household gets more seats of a type than it has people");
        drawn.push(home.splice(next, 1)[0]);
      }
    }
  }
  const most = new Map();
  for (const i of drawn) if (homeOf[i] >= 0) most.set(homeOf[i], (most.get(homeOf[i]) ?? 0) + 1);
  for (const count of most.values()) must(count <= instance.household, `more than ${instance.household} people of a household are drawn`);
  return drawn.map((i) => pool.leaves[i]).sort(byNumber);
}
