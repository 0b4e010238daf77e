// The one ZIP that a record may come as: everything stored, fixed dates, names sorted. It is read from its local headers, made
// anew, and refused if one byte differs, so no reader of ZIPs can see other files in it.

import { Fault, must } from "./canonical.js";
import { compareBytes, sameBytes } from "./hashes.js";

export const MOST_FILE = 256 * 2 ** 20;
export const MOST_RECORD = 2 ** 30;
/** The headers of at most 1,402 files with short names come on top. */
export const MOST_ZIP = MOST_RECORD + 2 ** 20;
/** What a ZIP that differs most often is; the page says it in the reader's language. */
export const REMADE = "This ZIP was made anew, for example by a file manager: unpack it and check the folder. That alone is no forgery.";
const DATE = 0x21; // 1 January 1980
const NAME = /^(public|auditor|sealed)\/[a-z0-9.-]{1,40}$/;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

export function crc32(bytes) {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = TABLE[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Integers of the widths given, little-endian: [[bytes, value], …]. */
function packed(pairs) {
  const out = new Uint8Array(pairs.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of pairs) for (let i = 0; i < width; i++) out[at++] = Math.floor(value / 256 ** i) % 256;
  return out;
}

/** The ZIP's bytes, as a list of parts: contents are not copied. `files`: a Map of name to bytes. */
function parts(files) {
  const encoder = new TextEncoder();
  const names = [...files.keys()].map((name) => [name, encoder.encode(name)]).sort((a, b) => compareBytes(a[1], b[1]));
  const out = [];
  const central = [];
  let offset = 0;
  for (const [key, name] of names) {
    const content = files.get(key);
    const common = [[2, 0], [2, 0], [2, 0], [2, DATE], [4, crc32(content)], [4, content.length], [4, content.length], [2, name.length]];
    const local = packed([[4, 0x04034b50], [2, 10], ...common, [2, 0]]);
    central.push(packed([[4, 0x02014b50], [2, 20], [2, 10], ...common, [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), name);
    out.push(local, name, content);
    offset += local.length + name.length + content.length;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  const end = packed([[4, 0x06054b50], [2, 0], [2, 0], [2, names.length], [2, names.length], [4, size], [4, offset], [2, 0]]);
  return [...out, ...central, end];
}

/** The files of a ZIP (Map of name to bytes, which are views of it); a Fault if it is not the one of its files. */
export function readZip(bytes) {
  must(bytes.length <= MOST_ZIP, "the ZIP is larger than a record may be (1 GiB)");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const files = new Map();
  let at = 0;
  while (at + 30 <= bytes.length && view.getUint32(at, true) === 0x04034b50) {
    const size = view.getUint32(at + 18, true);
    const start = at + 30 + view.getUint16(at + 26, true);
    must(start + size <= bytes.length, `${REMADE} (Or it was cut: it ends within a file.)`);
    const name = String.fromCharCode(...bytes.subarray(at + 30, Math.min(start, at + 130)));
    must(NAME.test(name), `${REMADE} (It holds a name that a record hasn't.)`);
    must(!files.has(name), `the ZIP holds ${name} twice`);
    files.set(name, bytes.subarray(start, start + size));
    at = start + size;
  }
  must(files.size > 0, "this is no ZIP of a record");
  let from = 0;
  for (const part of parts(files)) {
    if (!sameBytes(part, bytes.subarray(from, from + part.length))) {
      throw new Fault(`${REMADE} (It differs from the ZIP that its files make, near byte ${from}.)`);
    }
    from += part.length;
  }
  must(from === bytes.length, `${REMADE} (Something follows the end of the ZIP that its files make.)`);
  return files;
}

/** A ZIP of the files; for tests. */
export const makeZip = (files) => {
  const all = parts(files);
  const out = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};
