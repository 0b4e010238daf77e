// The certificate of fairness: level by level, that no lottery can give more to the people of a group. Recomputed here with
// integers alone. Symbols as in docs/audit/bundle.md: y, λ, ν, held z, q, U; a_T = n_T·w_T is a type's share.

import { fields, list, must, oneOf } from "./canonical.js";
import { checkClaim, claimGap, readClaim } from "./claim.js";
import { CLAIMING } from "./declaration.js";
import { multiplied, proofBound, readProof, sparse } from "./proof.js";
import { bigInteger, bits, compareFractions, fraction, gcd, larger, most } from "./rational.js";

const MOST_WORK = 10n ** 9n;
const MOST_BITS = 65536;

function readLevel(value, types, cells, what) {
  fields(value, ["cells", "held", "proof", "seats", "types", "value"], what);
  const level = {
    cells: sparse(value.cells, cells, `${what}, cells`),
    held: sparse(value.held, types, `${what}, held`),
    proof: readProof(value.proof, types, cells, `${what}, proof`),
    seats: bigInteger(value.seats, `${what}, seats`),
    types: sparse(value.types, types, `${what}, types`),
    value: fraction(value.value, `${what}, value`),
  };
  must(level.types.length > 0, `${what}: no types`);
  must(level.types.every(([, y]) => y >= 1n), `${what}: a weight below 1`);
  if (level.proof.length) must(level.cells.length === 0 && level.seats === 0n, `${what}: multipliers beside a proof`);
  else must(level.held.length === 0, `${what}: held types without a proof`);
  return level;
}

/** The certificate in its form, with the bounds on work that are looked at before anything is computed. */
function readCertificate(value, round, instance, pool) {
  const what = `certificate-${round}.json`;
  const claiming = CLAIMING.includes(instance.objective);
  fields(value, claiming ? ["claim", "gap", "level", "levels"] : ["gap", "level", "levels"], what);
  const types = pool.sizes.length;
  const cells = instance.cells.length;
  oneOf(value.level, ["L0", "L1"], `${what}, level`);
  const levels = list(value.levels, `${what}, levels`).map((level, i) => readLevel(level, types, cells, `${what}, level ${i}`));
  const claim = claiming ? readClaim(value.claim, types, cells, `${what}, claim`) : null;
  const proofs = [...levels.map((level) => level.proof), ...(claim ? [claim.proof] : [])];
  const leaves = proofs.reduce((sum, proof) => sum + proof.filter((node) => node.leaf).length, 0);
  must(BigInt(leaves + levels.length) * BigInt(types) <= MOST_WORK, `${what}: more leaves and levels than a verifier must look at`);
  return { gap: fraction(value.gap, `${what}, gap`), gapText: value.gap, level: value.level, levels, claim };
}

function checkSettling(certificate, instance, types, what) {
  const settled = new Array(types).fill(-1);
  const { levels } = certificate;
  const zero = (level) => level.value[0] === 0n;
  levels.forEach((level, i) => {
    for (const [t] of level.types) {
      must(settled[t] < 0, `${what}, level ${i}: type ${t} is in two levels`);
      settled[t] = i;
    }
    for (const [t] of level.held) must(settled[t] >= 0 && settled[t] < i, `${what}, level ${i}: type ${t} is held but not settled`);
    must(i === 0 || compareFractions(levels[i - 1].value, level.value) <= 0, `${what}, level ${i}: its value falls`);
  });
  const { objective } = instance;
  if (objective === "leximin") must(settled.every((i) => i >= 0), `${what}: a type is in no level`);
  if (objective === "maximin") must(levels.slice(0, -1).every(zero), `${what}: a level before the last has a value`);
  if (CLAIMING.includes(objective)) must(levels.every(zero), `${what}: a level has a value`);
  else must(levels.length > 0, `${what}: no levels`);
  return settled;
}

/** Least common denominator of all values, at most 65,536 bits. */
function commonDenominator(levels, what) {
  let common = 1n;
  for (const { value } of levels) {
    common = (common / gcd(common, value[1])) * value[1];
    must(bits(common) <= MOST_BITS, `${what}: the values' common denominator has more than ${MOST_BITS} bits`);
  }
  return common;
}

/** U of a level, and q as it is then fixed. */
async function levelBound(level, settledBefore, instance, pool, pace, what) {
  const n = pool.sizes;
  const q = new Array(n.length).fill(0n);
  for (const [t, y] of level.types) q[t] = y;
  if (level.proof.length) {
    for (const [t, z] of level.held) q[t] = z;
    return { q, bound: await proofBound(level.proof, q, new Array(n.length).fill(0), [...n], instance, pool, pace, what) };
  }
  const { ofType, sum } = multiplied(level.cells, instance, pool.cellsOf);
  let bound = sum + level.seats * BigInt(instance.size);
  for (let t = 0; t < n.length; t++) {
    if (settledBefore(t)) q[t] = ofType[t] + level.seats;
    else bound += BigInt(n[t]) * most(0n, q[t] - ofType[t] - level.seats);
  }
  return { q, bound };
}

/** Check every level's arithmetic; returns the certificate with U and q of each level. */
export async function checkCertificate(value, round, instance, pool, pace) {
  const what = `certificate-${round}.json`;
  const certificate = readCertificate(value, round, instance, pool);
  const { levels } = certificate;
  const settled = checkSettling(certificate, instance, pool.sizes.length, what);
  const common = commonDenominator(levels, what);
  const scaled = levels.map((level) => level.value[0] * (common / level.value[1]));
  const share = pool.sizes.map((n, t) => BigInt(n) * BigInt(pool.weights[t]));
  for (const [i, level] of levels.entries()) {
    const place = `${what}, level ${i}`;
    const before = (t) => settled[t] >= 0 && settled[t] < i;
    const { q, bound } = await levelBound(level, before, instance, pool, pace, place);
    // (U − Σ q·a·v) / Σ a·y = value, with both sides times the common denominator
    const held = new Array(i).fill(0n);
    for (let t = 0; t < q.length; t++) if (before(t)) held[settled[t]] += q[t] * share[t];
    const taken = held.reduce((sum, part, l) => sum + part * scaled[l], 0n);
    const weight = level.types.reduce((sum, [t, y]) => sum + y * share[t], 0n);
    must(bound * common - taken === scaled[i] * weight, `${place}: its value does not follow`);
    Object.assign(level, { q, bound });
    await pace.pause();
  }
  if (certificate.claim) await checkClaim(certificate.claim, settled, instance, pool, pace, `${what}, claim`);
  return { ...certificate, settled };
}

/** Leximin and maximin: the most that anybody could still get, and the most that a bound leaves to the published lottery. */
function levelsGap({ levels, settled }, instance, pool, balls) {
  const m = BigInt(instance.denominator);
  const n = pool.sizes.map(BigInt);
  let gap = [0n, 1n];
  levels.forEach((level, i) => {
    const last = i === levels.length - 1 && instance.objective === "maximin";
    const [a, b] = level.value;
    let used = 0n;
    for (let t = 0; t < n.length; t++) {
      const before = settled[t] >= 0 && settled[t] < i;
      if (before || settled[t] === i) used += level.q[t] * balls[t];
      if (settled[t] === i || (last && !before)) {
        // w·a/b − W/(M·n)
        gap = larger(gap, [BigInt(pool.weights[t]) * a * m * n[t] - balls[t] * b, b * m * n[t]]);
      }
    }
    const slack = level.bound * m - used; // times M
    for (const [t, y] of level.types) gap = larger(gap, [slack, m * n[t] * y]);
  });
  return gap;
}

/** The stated gap and level are those that follow. */
export function checkGap(certificate, round, instance, pool, balls) {
  const what = `certificate-${round}.json`;
  const gap = certificate.claim
    ? claimGap(certificate.claim, instance, pool, balls, what)
    : levelsGap(certificate, instance, pool, balls);
  must(compareFractions(gap, certificate.gap) === 0, `${what}: the gap is not ${certificate.gapText.slice(0, 60)}`);
  const integral = certificate.levels.some((level) => level.proof.length > 0) || certificate.claim?.integral;
  const level = integral ? "L1" : "L0";
  must(certificate.level === level, `${what}: the level is ${level}, not ${certificate.level}`);
}
