// Proofs of an upper bound: a tree that splits all panels by the seats of one type, and at each leaf a bound by multipliers.
// Symbols as in docs/audit/bundle.md: q_T the weight of a type, l ≤ x ≤ u its seats, λ, ν the multipliers, s the scale.

import { fields, isObject, list, must, rising, whole } from "./canonical.js";
import { MOST } from "./declaration.js";
import { bigInteger, floorDiv, most } from "./rational.js";

/** Multipliers [[place, λ], …] of cells or types: places rise, none is zero. Returns [[place, BigInt], …]. */
export function sparse(value, count, what) {
  const out = list(value, what).map((pair) => {
    must(list(pair, what).length === 2, `${what}: not a place and a number`);
    const number = bigInteger(pair[1], what);
    must(number !== 0n, `${what}: a zero is written`);
    return [whole(pair[0], 0, count - 1, `${what}, place`), number];
  });
  rising(out, (a, b) => a[0] - b[0], what);
  return out;
}

/** A proof in its form: a tree in a flat list. An empty list is no proof. */
export function readProof(value, types, cells, what) {
  const parent = new Array(list(value, what).length).fill(-1);
  const nodes = value.map((node, at) => {
    const place = `${what}, node ${at}`;
    if (isObject(node) && "scale" in node) {
      fields(node, ["cells", "scale", "seats"], place);
      const scale = bigInteger(node.scale, `${place}, scale`);
      must(scale >= 1n, `${place}: a scale below 1`);
      return { leaf: true, scale, seats: bigInteger(node.seats, `${place}, seats`), cells: sparse(node.cells, cells, `${place}, cells`) };
    }
    fields(node, ["above", "at_most", "below", "type"], place);
    whole(node.type, 0, types - 1, `${place}, type`);
    whole(node.at_most, 0, MOST, `${place}, at_most`);
    for (const side of [node.below, node.above]) {
      whole(side, at + 1, value.length - 1, `${place}, child`);
      must(parent[side] < 0, `${place}: node ${side} has two parents`);
      parent[side] = at;
    }
    return { leaf: false, ...node };
  });
  for (let i = 1; i < nodes.length; i++) must(parent[i] >= 0, `${what}: node ${i} has no parent`);
  return nodes;
}

/** λ(T) of every type, and Σ_c max(λ_c·min_c, λ_c·max_c). */
export function multiplied(sparseCells, instance, cellsOf) {
  const lambda = new Array(instance.cells.length).fill(0n);
  let sum = 0n;
  for (const [c, value] of sparseCells) {
    lambda[c] = value;
    sum += value * BigInt(value > 0n ? instance.cells[c].max : instance.cells[c].min);
  }
  const ofType = cellsOf.map((cells) => cells.reduce((total, c) => (lambda[c] === 0n ? total : total + lambda[c]), 0n));
  return { ofType, sum };
}

/** U: the largest bound of a leaf. `lower`, `upper`: seats of each type at the root (numbers; changed and put back). */
export async function proofBound(nodes, q, lower, upper, instance, pool, pace, what) {
  let bound = null;
  // Depth first; a change of a bound is undone when its side is finished, so memory goes with the depth alone.
  const work = [{ enter: 0 }];
  while (work.length) {
    const step = work.pop();
    if (step.set) {
      step.set[step.type] = step.value;
      continue;
    }
    const node = nodes[step.enter];
    if (node.leaf) {
      const value = leafBound(node, q, lower, upper, instance, pool);
      bound = bound === null ? value : most(bound, value);
      await pace.pause();
      continue;
    }
    const { type, at_most: a } = node;
    must(lower[type] <= a && a < upper[type], `${what}, node ${step.enter}: it splits nothing`);
    work.push(
      { set: lower, type, value: lower[type] },
      { enter: node.above },
      { set: lower, type, value: a + 1 },
      { set: upper, type, value: upper[type] },
      { enter: node.below },
      { set: upper, type, value: a },
    );
  }
  return bound;
}

function leafBound(node, q, lower, upper, instance, pool) {
  const { ofType, sum } = multiplied(node.cells, instance, pool.cellsOf);
  let total = sum + node.seats * BigInt(instance.size);
  for (let t = 0; t < q.length; t++) {
    const rest = node.scale * q[t] - ofType[t] - node.seats;
    if (rest > 0n) total += rest * BigInt(upper[t]);
    else if (rest < 0n) total += rest * BigInt(lower[t]);
  }
  return floorDiv(total, node.scale);
}
