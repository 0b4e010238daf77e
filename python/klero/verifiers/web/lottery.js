// The lottery: its panels, each with a number of balls, against the quotas; and what follows for everybody's chance.

import { compareNumbers, fields, list, must, rising, whole } from "./canonical.js";
import { MOST } from "./declaration.js";

/** The panels: [{count, entry: [[type, seats], …]}, …]. */
export function readLottery(value, round, instance, pool) {
  const what = `lottery-${round}.json`;
  fields(value, ["panels"], what);
  let sum = 0n;
  const panels = list(value.panels, what).map((panel, p) => {
    const place = `${what}, panel ${p}`;
    must(list(panel, place).length === 2, `${place}: not count and seats`);
    sum += BigInt(whole(panel[0], 1, MOST, `${place}, count`));
    for (const pair of list(panel[1], place)) {
      must(list(pair, place).length === 2, `${place}: not type and seats`);
      whole(pair[0], 0, pool.sizes.length - 1, `${place}, type`);
      whole(pair[1], 1, MOST, `${place}, seats`);
    }
    rising(panel[1], (a, b) => a[0] - b[0], `${place}, types`);
    return { count: panel[0], entry: panel[1] };
  });
  rising(panels.map((panel) => panel.entry.flat()), compareNumbers, `${what}, panels`);
  must(sum === BigInt(instance.denominator), `${what}: the counts sum to ${sum} in place of ${instance.denominator}`);
  return panels;
}

/** Every panel has k seats, no type more than its people, every cell what its quota asks. */
export async function checkQuotas(panels, round, instance, pool, pace) {
  for (const [p, { entry }] of panels.entries()) {
    const what = `lottery-${round}.json, panel ${p}`;
    const seatsOf = new Array(instance.cells.length).fill(0);
    let all = 0;
    for (const [t, seats] of entry) {
      must(seats <= pool.sizes[t], `${what}: ${seats} seats for type ${t}, which has ${pool.sizes[t]} people`);
      all += seats;
      for (const cell of pool.cellsOf[t]) seatsOf[cell] += seats;
    }
    must(all === instance.size, `${what}: ${all} seats in place of ${instance.size}`);
    instance.cells.forEach((cell, c) => {
      must(seatsOf[c] >= cell.min && seatsOf[c] <= cell.max, `${what}: ${seatsOf[c]} seats for ${cell.value}, ${cell.min} to ${cell.max} are asked for`);
    });
    await pace.pause();
  }
}

/** W_T of each type: the sum of count·seats. A person of type T is drawn with probability W_T / (M·n_T). */
export function ballsOf(panels, pool) {
  const balls = new Array(pool.sizes.length).fill(0n);
  for (const { count, entry } of panels) for (const [t, seats] of entry) balls[t] += BigInt(count) * BigInt(seats);
  return balls;
}

/** The seats of the panel that holds the position: the first whose cumulative count is above it. */
export function panelAt(panels, position) {
  let sum = 0;
  for (const { count, entry } of panels) {
    sum += count;
    if (sum > position) return entry;
  }
  return null; // not reached: the counts sum to M
}

/** How many people of the types that are counted have which probability, in percent; no cell with fewer than 10 people. */
export function histogram(balls, pool, denominator, counted = () => true) {
  const slots = new Array(100).fill(0);
  balls.forEach((w, t) => {
    if (!counted(t)) return;
    const percent = Number((100n * w) / (BigInt(denominator) * BigInt(pool.sizes[t])));
    slots[Math.min(99, percent)] += pool.sizes[t];
  });
  const cells = [];
  let from = 0;
  let people = 0;
  slots.forEach((count, slot) => {
    people += count;
    if (people < 10) return;
    cells.push([from, slot + 1, people]);
    from = slot + 1;
    people = 0;
  });
  if (cells.length) {
    const last = cells[cells.length - 1];
    last[1] = 100;
    last[2] += people;
  }
  return cells;
}
