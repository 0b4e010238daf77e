// Time-stamps (RFC 3161): what a token says and over which bytes. The authority's own signature is not checked here, since that
// takes its certificate and the trust in it.

import { must } from "./canonical.js";
import { fromBase64, sameBytes, sha256 } from "./hashes.js";
import { beaconOf, time, timeText } from "./sources.js";

const SEQUENCE = 0x30;
const SET = 0x31;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTETS = 0x04;
const NULL = 0x05;
const OBJECT = 0x06;
const TIME = 0x18;
const FIRST = 0xa0; // [0], constructed
const SECOND = 0xa1;
const DEEP = 32; // values around a value
const MOST_TOKEN = 2 ** 16; // bytes

// Contents of the object identifiers.
const SIGNED_DATA = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02);
const TST_INFO = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04);
const SHA_256 = Uint8Array.of(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01);

/** The values that fill the bytes, [{tag, content, inner}]: definite, minimal lengths, all the way down. */
function values(bytes, what, around = 0) {
  const out = [];
  let at = 0;
  while (at < bytes.length) {
    must(around <= DEEP, `${what}: nested too deeply`);
    const tag = bytes[at++];
    must((tag & 0x1f) !== 0x1f, `${what}: a tag of more than one byte`);
    let length = bytes[at++];
    must(length !== undefined && length !== 0x80 && length <= 0x84, `${what}: a length that is not definite, or too long`);
    if (length > 0x80) {
      const width = length - 0x80;
      must(at + width <= bytes.length, `${what}: it ends within a length`);
      length = 0;
      for (let i = 0; i < width; i++) length = length * 256 + bytes[at++];
      must(length >= (width === 1 ? 0x80 : 256 ** (width - 1)), `${what}: a length that is not minimal`);
    }
    must(at + length <= bytes.length, `${what}: it ends within a value`);
    const content = bytes.subarray(at, at + length);
    out.push({ tag, content, inner: tag & 0x20 ? values(content, what, around + 1) : null });
    at += length;
  }
  return out;
}

/** Fail unless the values have these tags in this order; `optional` ones may be missing, and stand before those in `last`. */
function inOrder(items, tags, what, optional = [], last = []) {
  const have = items.map((item) => item.tag);
  must(tags.every((tag, i) => have[i] === tag), `${what} has not the values it should have`);
  let at = tags.length;
  for (const tag of optional) if (have[at] === tag) at++;
  must(last.every((tag, i) => have[at + i] === tag) && have.length === at + last.length, `${what} has not the values it should have`);
  return items;
}

function genTime(bytes, what) {
  must(bytes.length <= 64, `${what}: genTime is too long`);
  const form = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d{0,8}[1-9])?Z$/.exec(String.fromCharCode(...bytes));
  must(form, `${what}: genTime has not the form`);
  const [year, month, day, hour, minute, second] = form.slice(1);
  return time(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`, `${what}, genTime`);
}

/** A token's imprint (32 bytes, SHA-256) and time (whole seconds, BigInt, rounded down). */
export function readToken(bytes, what) {
  must(bytes.length <= MOST_TOKEN, `${what}: a token of more than ${MOST_TOKEN} bytes`);
  const [outer] = inOrder(values(bytes, what), [SEQUENCE], `${what}: the token`);
  const [type, wrapped] = inOrder(outer.inner, [OBJECT, FIRST], `${what}: ContentInfo`);
  must(sameBytes(type.content, SIGNED_DATA), `${what}: not signed data`);
  const [signed] = inOrder(wrapped.inner, [SEQUENCE], `${what}: the content`);
  const [, , encapsulated] = inOrder(signed.inner, [INTEGER, SET, SEQUENCE], `${what}: SignedData`, [FIRST, SECOND], [SET]);
  const [kind, holder] = inOrder(encapsulated.inner, [OBJECT, FIRST], `${what}: the encapsulated content`);
  must(sameBytes(kind.content, TST_INFO), `${what}: not a time-stamp`);
  const [octets] = inOrder(holder.inner, [OCTETS], `${what}: the encapsulated content`);
  const [info] = inOrder(values(octets.content, what), [SEQUENCE], `${what}: the time-stamp`);
  const wanted = [INTEGER, OBJECT, SEQUENCE, INTEGER, TIME];
  const [version, , imprint, , instant] = inOrder(info.inner, wanted, `${what}: TSTInfo`, [SEQUENCE, BOOLEAN, INTEGER, FIRST, SECOND]);
  must(sameBytes(version.content, Uint8Array.of(1)), `${what}: not version 1`);
  const [algorithm, hash] = inOrder(imprint.inner, [SEQUENCE, OCTETS], `${what}: the imprint`);
  const [name, parameters] = inOrder(algorithm.inner, [OBJECT], `${what}: the algorithm`, [NULL]);
  must(sameBytes(name.content, SHA_256) && (!parameters || parameters.content.length === 0), `${what}: the imprint is not by SHA-256`);
  must(hash.content.length === 32, `${what}: the imprint has not 32 bytes`);
  return { imprint: hash.content, time: genTime(instant.content, what) };
}

/** Every token is over the file of the entry that it names; a commitment or reading that has tokens has one in time. */
export async function checkTimestamps(log, declaration, files) {
  const stamps = new Map(); // entry → times
  const digests = new Map(); // entry → SHA-256 of its file, made once however many tokens it has
  for (const entry of log.entries) {
    if (entry.kind !== "timestamp") continue;
    const what = `entry ${entry.number}`;
    const stamped = log.entries[entry.body.entry - 1];
    const token = readToken(fromBase64(entry.body.token, what), what);
    if (!digests.has(stamped)) digests.set(stamped, await sha256(files.get(`public/entry-${String(stamped.number).padStart(4, "0")}.json`)));
    must(sameBytes(token.imprint, digests.get(stamped)), `${what}: the token is over other bytes than the file of entry ${stamped.number}`);
    if (!stamps.has(stamped)) stamps.set(stamped, []);
    stamps.get(stamped).push(token.time);
  }
  for (const [entry, times] of stamps) {
    const sources = declaration.rounds[entry.body.round];
    const notice = BigInt(declaration.notice);
    const shown = times.map(timeText).join(", ");
    const inTime = (time) => sources.every((source) => time + notice <= source.time);
    if (entry.kind === "commitment") must(times.some(inTime), `entry ${entry.number}: no token shows that it stood in time (${shown})`);
    const early = (time) => time < beaconOf(sources).time;
    if (entry.kind === "reading") must(times.some(early), `entry ${entry.number}: no token shows that it is from before the beacon (${shown})`);
  }
}
