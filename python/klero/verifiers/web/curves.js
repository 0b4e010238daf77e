// Signatures: Ed25519 as docs/audit/protocol.md has it, and drand's two schemes on BLS12-381. The curves' arithmetic and pairing
// are those of @noble/curves; what is accepted is decided here.

import { bls12_381 as bls } from "@noble/curves/bls12-381.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { compareBytes, concat, eight, fromHex, sameBytes, sha256, sha512, toHex, toNumber } from "./hashes.js";

const Point = ed25519.Point;
const ORDER = Point.Fn.ORDER; // L
const KEEP = 4096; // answers remembered: one key signs many entries, one record is looked at again and again

/** Remember the answers of a pure function of a text. */
function remembered(answer) {
  const known = new Map();
  return (name, ...rest) => {
    if (!known.has(name)) {
      if (known.size >= KEEP) known.clear();
      known.set(name, answer(name, ...rest));
    }
    return known.get(name);
  };
}

const backwards = (bytes) => toNumber(Uint8Array.from(bytes).reverse());

/** The point of an encoded key: of the prime-order subgroup, not neutral, spelled in its one way; else null. */
const keyPoint = remembered((key) => {
  try {
    const point = Point.fromBytes(fromHex(key), false);
    const good = !point.equals(Point.ZERO) && point.isTorsionFree() && toHex(point.toBytes()) === key;
    return good ? point : null;
  } catch {
    return null; // the library says by an exception that there is no such point
  }
});

/** Is it (64 hexadecimal digits) an Ed25519 public key that a declaration may hold? */
export const isKey = (key) => keyPoint(key) !== null;

const checked = remembered(async (name, key, message, signature) => {
  const point = keyPoint(key);
  const encodedR = signature.subarray(0, 32);
  const s = backwards(signature.subarray(32));
  if (point === null || s >= ORDER) return false;
  const k = backwards(await sha512(concat(encodedR, fromHex(key), message))) % ORDER;
  const r = Point.BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(k));
  return sameBytes(r.toBytes(), encodedR); // the bytes, so no cofactor and one R alone
});

/** Does the Ed25519 signature (64 bytes) verify under the key (hexadecimal)? */
export async function ed25519Verifies(key, message, signature) {
  return checked(`${key} ${toHex(signature)} ${toHex(await sha256(message))}`, key, message, signature);
}

/** What DSSE signs: payload type and payload, each with its length. */
export function preAuthentication(type, payload) {
  const encoder = new TextEncoder();
  const head = `DSSEv1 ${encoder.encode(type).length} ${type} ${payload.length} `;
  return concat(encoder.encode(head), payload);
}

/** The two drand networks a draw may name, by chain hash. Times in seconds. */
export const CHAINS = new Map([
  ["52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971", {
    beacon: "quicknet",
    period: 3n,
    genesis: 1692803367n,
    group: "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
    key: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    signature: 48,
    previous: 0,
    tag: "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",
  }],
  ["8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce", {
    beacon: "default",
    period: 30n,
    genesis: 1595431050n,
    group: "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
    key: "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
    signature: 96,
    previous: 96,
    tag: "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",
  }],
]);

/** When a chain's round is due, Unix time in seconds (BigInt: rounds go up to 2^53 − 1). */
export const roundTime = (chain, round) => chain.genesis + (BigInt(round) - 1n) * chain.period;

/** The chain hash, made from the chain's facts; the tests compare it with the name under which the chain is known. */
export async function chainHash(chain) {
  const name = chain.beacon === "default" ? new Uint8Array(0) : new TextEncoder().encode(chain.beacon);
  return toHex(await sha256(concat(eight(chain.period).subarray(4), eight(chain.genesis), fromHex(chain.key), fromHex(chain.group), name)));
}

/** A compressed point of its group of prime order, not neutral, in its one spelling; else null. */
function groupPoint(group, bytes) {
  try {
    const point = group.Point.fromBytes(bytes);
    if (point.equals(group.Point.ZERO) || !point.isTorsionFree()) return null;
    return compareBytes(point.toBytes(true), bytes) === 0 ? point : null;
  } catch {
    return null;
  }
}

const beaconChecked = remembered(async (name, chain, round, previous, signature) => {
  const short = chain.signature === 48;
  const message = await sha256(short ? eight(round) : concat(previous, eight(round)));
  const signed = groupPoint(short ? bls.G1 : bls.G2, signature);
  const key = groupPoint(short ? bls.G2 : bls.G1, fromHex(chain.key));
  if (signed === null || key === null) return false;
  const scheme = short ? bls.shortSignatures : bls.longSignatures;
  return scheme.verify(signed, scheme.hash(message, chain.tag), key);
});

/** Is it the chain's signature of this round (and, where rounds are chained, of the signature before)? */
export const beaconVerifies = (hash, round, previous, signature) =>
  beaconChecked(`${hash} ${round} ${toHex(previous)} ${toHex(signature)}`, CHAINS.get(hash), round, previous, signature);
