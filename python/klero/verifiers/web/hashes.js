// SHA-256 and HMAC-SHA256 by the browser's own WebCrypto, many at a time, and what the specification builds on them: labelled
// hashes and the tree of RFC 9162. Where a browser hides WebCrypto from pages opened from a disk, the bundled library does it.

import { sha256 as plainSha256, sha512 as plainSha512 } from "@noble/hashes/sha2.js";
import { Fault, utf8 } from "./canonical.js";

const subtle = globalThis.crypto?.subtle;
const BATCH = 2048; // promises in flight

export const concat = (...parts) => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

export const toHex = (bytes) => {
  let out = "";
  for (const byte of bytes) out += (byte < 16 ? "0" : "") + byte.toString(16);
  return out;
};

/** The bytes of lower-case hexadecimal that was checked to be so. */
export function fromHex(digits) {
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return out;
}

export function compareBytes(a, b) {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

export const sameBytes = (a, b) => a.length === b.length && compareBytes(a, b) === 0;

/** A big-endian integer. */
export const toNumber = (bytes) => (bytes.length ? BigInt("0x" + toHex(bytes)) : 0n);

/** An integer as 8 bytes, big-endian. */
export function eight(number) {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(number));
  return out;
}

/** The bytes of BASE64 in its one spelling: standard alphabet, padding, no stray bits. */
export function fromBase64(text, what) {
  let binary = null;
  try {
    binary = atob(text);
  } catch {
    throw new Fault(`${what}: not base64`);
  }
  if (btoa(binary) !== text) throw new Fault(`${what}: not the one spelling in base64`);
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

export async function sha256(bytes) {
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", bytes)) : plainSha256(bytes);
}

export async function sha512(bytes) {
  return subtle ? new Uint8Array(await subtle.digest("SHA-512", bytes)) : plainSha512(bytes);
}

/** `work` of every item, a batch at a time; `pace` lets the page breathe between batches. */
export async function eachOf(items, work, pace) {
  const out = [];
  for (let start = 0; start < items.length; start += BATCH) {
    const batch = await Promise.all(items.slice(start, start + BATCH).map(work));
    for (const item of batch) out.push(item);
    if (pace) await pace.pause();
  }
  return out;
}

const padded = (key, pad) => {
  const out = new Uint8Array(64).fill(pad);
  for (let i = 0; i < key.length; i++) out[i] ^= key[i];
  return out;
};

/** HMAC-SHA256 (RFC 2104) under a key of at most 64 bytes; every key here has 32. */
export async function hmac(key, message) {
  return sha256(concat(padded(key, 0x5c), await sha256(concat(padded(key, 0x36), message))));
}

/** HMAC-SHA256 of many messages under one key. */
export async function hmacs(key, messages, pace) {
  const inner = padded(key, 0x36);
  const outer = padded(key, 0x5c);
  return eachOf(messages, async (message) => sha256(concat(outer, await sha256(concat(inner, message)))), pace);
}

/** seq(label, items): SHA-256 over label and items, each with its length, so that no two inputs run together. */
export function seq(label, items) {
  const name = utf8(label);
  const parts = [eight(name.length), name, eight(items.length)];
  for (const item of items) parts.push(eight(item.length), item);
  return sha256(concat(...parts));
}

const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);

/** Root of the RFC 9162 tree over the leaves, at least one. */
export async function treeRoot(leaves, pace) {
  let row = await eachOf(leaves, (leaf) => sha256(concat(ZERO, leaf)), pace);
  while (row.length > 1) {
    const pairs = [];
    for (let i = 0; i + 1 < row.length; i += 2) pairs.push(concat(ONE, row[i], row[i + 1]));
    const next = await eachOf(pairs, sha256, pace);
    if (row.length % 2) next.push(row[row.length - 1]); // a last one without a partner moves up as it is
    row = next;
  }
  return row[0];
}

/** Root that an inclusion path gives for leaf `index` of `size` (RFC 9162, 2.1.3.2); null if the path has the wrong length. */
export async function rootOfPath(leaf, index, size, path) {
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let node = await sha256(concat(ZERO, leaf));
  for (const side of path) {
    if (sn === 0n) return null;
    if (fn % 2n === 1n || fn === sn) {
      node = await sha256(concat(ONE, side, node));
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      node = await sha256(concat(ONE, node, side));
    }
    fn /= 2n;
    sn /= 2n;
  }
  return sn === 0n ? node : null;
}
