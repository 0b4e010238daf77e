// Exact numbers: big integers and fractions, in the one spelling that a certificate may have.

import { Fault, isText, must, shown } from "./canonical.js";

const LONGEST = 4096;

/** The BigInt of an integer's text. */
export function bigInteger(value, what) {
  must(isText(value) && value.length <= LONGEST && /^(0|-?[1-9][0-9]*)$/.test(value), `${what}: ${shown(value)} is no integer as a text`);
  return BigInt(value);
}

export const most = (a, b) => (a > b ? a : b);

export function gcd(a, b) {
  a = a < 0n ? -a : a;
  b = b < 0n ? -b : b;
  while (b) [a, b] = [b, a % b];
  return a;
}

export const bits = (a) => (a === 0n ? 0 : a.toString(16).length * 4 - 4 + (32 - Math.clz32(parseInt(a.toString(16)[0], 16))));

/** Division rounded down, and up; the divisor is positive. */
export const floorDiv = (a, b) => a / b - (a < 0n && a % b !== 0n ? 1n : 0n);
export const ceilDiv = (a, b) => -floorDiv(-a, b);

/** A fraction [a, b] with b > 0; kept as it comes, compared by cross-multiplication. */
export const compareFractions = ([a, b], [c, d]) => {
  const x = a * d;
  const y = c * b;
  return x < y ? -1 : x > y ? 1 : 0;
};
export const larger = (p, q) => (compareFractions(p, q) >= 0 ? p : q);

/** A fraction from its text: an integer, or a/b in lowest terms with b ≥ 2. */
export function fraction(value, what) {
  must(isText(value) && value.length <= LONGEST, `${what}: ${shown(value)} is no fraction as a text`);
  const form = /^(-?[1-9][0-9]*|0)(?:\/([1-9][0-9]*))?$/.exec(value);
  if (!form) throw new Fault(`${what}: ${shown(value)} is no fraction as a text`);
  const a = BigInt(form[1]);
  if (form[2] === undefined) return [a, 1n];
  const b = BigInt(form[2]);
  must(b >= 2n && gcd(a, b) === 1n, `${what}: ${shown(value)} is not in lowest terms`);
  return [a, b];
}
