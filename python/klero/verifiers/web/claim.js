// The claim of nash, goldilocks and minimax: one bound over those whose chances are in question. Symbols as in docs/audit/bundle.md:
// E the open types, N = Σ n·w over E, K the seats left to them, share = K/N, c the claim's weights, U its bound, α the tangent.

import { fields, must } from "./canonical.js";
import { proofBound, readProof, sparse } from "./proof.js";
import { ceilDiv, compareFractions, fraction, larger } from "./rational.js";

const FINE = 10n ** 30n;

/** The claim in its form, before who is in question is known. */
export function readClaim(value, types, cells, what) {
  fields(value, ["proof", "tangent", "weights"], what);
  const proof = readProof(value.proof, types, cells, `${what}, proof`);
  return {
    proof,
    tangent: fraction(value.tangent, `${what}, tangent`),
    weights: sparse(value.weights, types, `${what}, weights`),
    integral: proof.some((node) => !node.leaf || node.scale > 1n),
  };
}

/** Of each type: "shut out", "forced" or "open"; and the seats of forced people. */
function states(settled, instance, pool) {
  const n = pool.sizes;
  const can = n.map((_, t) => settled[t] < 0);
  const people = instance.cells.map(() => 0);
  let all = 0;
  n.forEach((count, t) => {
    if (!can[t]) return;
    all += count;
    for (const c of pool.cellsOf[t]) people[c] += count;
  });
  const reach = instance.cells.map((cell, c) => Math.min(cell.max, people[c])); // h_c
  const full = instance.cells.map(() => false);
  instance.features.forEach((feature, f) => {
    const first = instance.firstCell[f];
    const sum = feature.values.reduce((total, _, v) => total + reach[first + v], 0); // H_f
    feature.values.forEach((cell, v) => {
      const c = first + v;
      full[c] = people[c] <= Math.max(cell.min, instance.size - sum + reach[c]);
    });
  });
  let forcedPeople = 0;
  const state = n.map((count, t) => {
    if (!can[t]) return "shut out";
    if (all !== instance.size && !pool.cellsOf[t].some((c) => full[c])) return "open";
    forcedPeople += count;
    return "forced";
  });
  return { state, forcedPeople };
}

/** Check the claim's form and compute U; what the gap needs is put on the claim. */
export async function checkClaim(claim, settled, instance, pool, pace, what) {
  const { state, forcedPeople } = states(settled, instance, pool);
  const open = state.flatMap((s, t) => (s === "open" ? [t] : []));
  const share = (t) => BigInt(pool.sizes[t]) * BigInt(pool.weights[t]);
  const sum = (pairs) => pairs.reduce((total, [t, c]) => total + c * share(t), 0n);
  claim.open = open;
  claim.total = open.reduce((total, t) => total + share(t), 0n); // N
  claim.seats = BigInt(instance.size - forcedPeople); // K
  claim.plus = sum(claim.weights.filter(([, c]) => c > 0n)); // Z
  claim.minus = -sum(claim.weights.filter(([, c]) => c < 0n)); // Y
  must(claim.weights.every(([t]) => state[t] === "open"), `${what}: a weight for a type that is not in question`);
  if (open.length) must(claim.seats >= 1n, `${what}: no seats are left to those in question`);
  checkForm(claim, instance.objective, what);
  if (claim.weights.length === 0) {
    must(claim.proof.length === 0, `${what}: a proof of nothing`);
    return;
  }
  must(claim.proof.length > 0, `${what}: no proof`);
  const q = new Array(state.length).fill(0n);
  for (const [t, c] of claim.weights) q[t] = instance.objective === "nash" ? c : -c;
  const lower = state.map((s, t) => (s === "forced" ? pool.sizes[t] : 0));
  const upper = state.map((s, t) => (s === "shut out" ? 0 : pool.sizes[t]));
  claim.bound = await proofBound(claim.proof, q, lower, upper, instance, pool, pace, what);
}

function checkForm({ open, weights, tangent, plus, minus }, objective, what) {
  const positive = weights.every(([, c]) => c >= 1n);
  if (open.length === 0) must(weights.length === 0, `${what}: weights where nobody is in question`);
  else if (objective === "nash") must(weights.length === open.length && positive, `${what}: not a weight of 1 or more for each type`);
  else if (objective === "minimax") must(weights.length > 0 && positive, `${what}: no weights, or one below 1`);
  if (objective === "goldilocks" && weights.length) {
    const [a, b] = tangent;
    must(plus > 0n && minus > 0n, `${what}: weights of one sign alone`);
    must(a > 0n && minus * a * a >= plus * b * b, `${what}: the tangent is too small`);
  } else {
    must(tangent[0] === 0n, `${what}: a tangent where there is none`);
  }
}

/** The gap that follows from the claim, for the published lottery; `balls` are W_T. */
export function claimGap(claim, instance, pool, balls, what) {
  if (claim.open.length === 0) return [0n, 1n];
  if (instance.objective === "minimax") return minimaxGap(claim, instance, pool, balls);
  for (const t of claim.open) must(balls[t] >= 1n, `${what}: type ${t} has no ball`);
  return instance.objective === "nash" ? nashGap(claim, instance, pool, balls) : goldilocksGap(claim, instance, pool, balls);
}

function nashGap({ weights, total, bound }, instance, pool, balls) {
  const m = BigInt(instance.denominator);
  let sum = 0n;
  for (const [t, c] of weights) {
    const share = BigInt(pool.sizes[t]) * BigInt(pool.weights[t]);
    sum += ceilDiv(FINE * m * share * share, c * balls[t]);
  }
  const whole = FINE * total * total;
  return [bound * sum - whole, whole];
}

/** r_T = π_T / (w_T·share) as a fraction. */
const ratio = ({ total, seats }, instance, pool, balls) => (t) =>
  [balls[t] * total, BigInt(instance.denominator) * BigInt(pool.sizes[t]) * BigInt(pool.weights[t]) * seats];

function goldilocksGap(claim, instance, pool, balls) {
  const ratios = claim.open.map(ratio(claim, instance, pool, balls));
  const high = ratios.reduce(larger);
  const low = ratios.reduce((a, b) => (compareFractions(a, b) <= 0 ? a : b));
  let floor = [2n, 1n]; // B
  if (claim.weights.length) {
    const [a, b] = claim.tangent;
    // 2·b/a − U·N/(K·Z)
    const kz = claim.seats * claim.plus;
    floor = larger(floor, [2n * b * kz - claim.bound * claim.total * a, a * kz]);
  }
  const sum = [high[0] * low[0] + low[1] * high[1], high[1] * low[0]];
  return [sum[0] * floor[1] - floor[0] * sum[1], sum[1] * floor[1]];
}

function minimaxGap(claim, instance, pool, balls) {
  // (max π/w + U/Z) / share = max r + U·N/(Z·K)
  const high = claim.open.map(ratio(claim, instance, pool, balls)).reduce(larger);
  const zk = claim.plus * claim.seats;
  return [high[0] * zk + claim.bound * claim.total * high[1], high[1] * zk];
}
