// The parts of the verifier against the golden vectors, in Node: `node --test tests/`. The page itself is tested in Chromium by
// tests/test_verifier_html.py of the repository.

import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse, utf8, write } from "../canonical.js";
import { beaconVerifies, CHAINS, chainHash, ed25519Verifies, isKey, preAuthentication, roundTime } from "../curves.js";
import { fromBase64, fromHex, hmac, rootOfPath, seq, sha256, toHex, treeRoot } from "../hashes.js";
import { histogram } from "../lottery.js";
import { readCells, seated } from "../pool.js";
import { bits, ceilDiv, floorDiv, fraction } from "../rational.js";
import { checkReceipt } from "../receipt.js";
import { position, readReveals, readSources, seeds, time } from "../sources.js";
import { personOf } from "../succession.js";
import { readToken } from "../timestamps.js";
import { crc32, makeZip, readZip } from "../zip.js";

const vectors = new URL("../../../../../tests/vectors/", import.meta.url);
const load = (name) => JSON.parse(readFileSync(new URL(name, vectors), "utf8"));
const golden = load("record-primitives.json");
const refused = (work) => {
  try {
    work();
    return false;
  } catch {
    return true;
  }
};

test("SHA-256 and HMAC are those of another library", async () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
    assert.equal(toHex(await sha256(bytes)), createHash("sha256").update(bytes).digest("hex"));
    const key = Uint8Array.from({ length: 32 }, (_, i) => (i * 5 + length) % 256);
    assert.equal(toHex(await hmac(key, bytes)), createHmac("sha256", key).update(bytes).digest("hex"));
  }
});

test("base64 has one spelling", () => {
  for (const { text, bytes } of golden.base64) {
    if (bytes === null) assert.ok(refused(() => fromBase64(text, "")), text);
    else assert.equal(toHex(fromBase64(text, "")), bytes);
  }
});

test("times are real instants", () => {
  for (const { text, seconds, valid } of golden.time) {
    if (valid) assert.equal(time(text, ""), BigInt(seconds));
    else assert.ok(refused(() => time(text, "")), text);
  }
});

test("keys are of the prime-order subgroup, and signatures are compared byte for byte", async () => {
  for (const { name, key, valid } of golden.ed25519.keys) assert.equal(isKey(key), valid, name);
  for (const { name, key, message, signature, valid } of golden.ed25519.signatures) {
    assert.equal(await ed25519Verifies(key, fromHex(message), fromHex(signature)), valid, name);
  }
});

test("what is signed, and the entry hash", async () => {
  for (const { payload, pae, entry_hash: hash, key, keyid } of golden.dsse) {
    if (payload === undefined) {
      assert.equal(toHex(await sha256(fromHex(key))), keyid);
      continue;
    }
    assert.equal(toHex(preAuthentication("application/vnd.klero.entry+json", fromHex(payload))), pae);
    assert.equal(toHex(await seq("klero/entry/v1", [fromHex(payload)])), hash);
  }
});

test("drand's chains hash to their names, and their rounds verify", async () => {
  assert.equal(CHAINS.size, 2);
  for (const [hash, chain] of CHAINS) assert.equal(await chainHash(chain), hash);
  for (const round of golden.beacon.rounds) {
    const chain = CHAINS.get(round.chain);
    if (round.time !== null && round.time !== undefined) assert.equal(roundTime(chain, round.round), BigInt(round.time));
    const good = await beaconVerifies(round.chain, round.round, fromHex(round.previous_signature), fromHex(round.signature));
    assert.equal(good, round.valid, JSON.stringify(round));
  }
});

test("sources are read as declared, or refused", () => {
  for (const { digits_of_m: digits, sources, valid, times } of golden.sources) {
    if (valid) assert.deepEqual(readSources(sources, "", digits).map((source) => Number(source.time)), times); // as JSON gives numbers above 2^53
    else assert.ok(refused(() => readSources(sources, "", digits)), JSON.stringify(sources));
  }
});

test("reveals give the seeds and the position", async () => {
  for (const one of golden.randomness) {
    const sources = readSources(one.sources, "", String(one.m).length - 1);
    const reveals = await readReveals(one.reveals, sources, "");
    assert.deepEqual(reveals.map((reveal) => toHex(reveal.value)), one.values);
    const { index, tickets } = await seeds(fromHex(one.commitment), reveals);
    assert.deepEqual([toHex(index), toHex(tickets)], [one.index_seed, one.seed]);
    assert.deepEqual(await position(index, reveals, one.m), { position: one.position, rejected: one.rejected });
  }
});

test("leaves follow from identity, salt and opening", async () => {
  for (const { draw, identity, salt, opening, leaf } of golden.leaves) {
    assert.equal((await personOf(draw, identity, fromHex(salt), utf8(opening))).leaf, leaf);
  }
});

test("trees have their roots, and every path leads to it", async () => {
  for (const { leaves, paths, root } of golden.paths) {
    const bytes = leaves.map(fromHex);
    assert.equal(toHex(await treeRoot(bytes)), root);
    for (const [i, path] of paths.entries()) {
      assert.equal(toHex(await rootOfPath(bytes[i], i, bytes.length, path.map(fromHex))), root);
      assert.equal(await rootOfPath(bytes[i], i, bytes.length, [...path, root].map(fromHex)), null);
    }
  }
});

test("summaries count people by chance, and round the gap up", () => {
  for (const { name, groups, rational, gap, histogram: expected } of golden.histogram) {
    if (groups === undefined) {
      const [a, b] = fraction(rational, "");
      assert.equal(String(ceilDiv(a * 10n ** 6n, b)), String(gap));
      continue;
    }
    // groups: people with the probability a/b, which is W / (M·n) with M the product of all b
    const m = groups.reduce((product, [, b]) => product * BigInt(b), 1n);
    const balls = groups.map(([a, b, n]) => (BigInt(a) * m * BigInt(n)) / BigInt(b));
    assert.deepEqual(histogram(balls, { sizes: groups.map((group) => group[2]) }, m), expected, name);
  }
});

test("a time-stamp token is read, and no other bytes are", () => {
  const token = fromHex(golden.timestamp.token);
  const read = readToken(token, "");
  assert.equal(toHex(read.imprint), golden.timestamp.imprint);
  assert.equal(read.time, BigInt(golden.timestamp.time));
  assert.ok(refused(() => readToken(Uint8Array.of(...token, 0), "")));
  for (let cut = 0; cut < token.length; cut++) assert.ok(refused(() => readToken(token.subarray(0, cut), "")), cut);
});

test("a record's ZIP is the one of its files", async () => {
  for (const [name, tiers] of Object.entries(golden.zip)) {
    for (const [tier, digest] of Object.entries(tiers)) {
      const folders = ["public", "auditor", "sealed"].slice(0, ["public", "auditor", "sealed"].indexOf(tier) + 1);
      const files = new Map(Object.entries(load(`record-${name}.json`)).filter(([file]) => folders.includes(file.split("/")[0])).map(([file, text]) => [file, utf8(text)]));
      const zip = makeZip(files);
      assert.equal(createHash("sha256").update(zip).digest("hex"), digest, `${name} ${tier}`);
      assert.deepEqual([...readZip(zip)].map(([file]) => file), [...files.keys()].sort());
      if (name !== "public") continue;
      for (let i = 0; i < zip.length; i++) {
        zip[i] ^= 1;
        // A changed content has another CRC-32, so no byte can be another.
        assert.ok(refused(() => readZip(zip)), `byte ${i}`);
        zip[i] ^= 1;
      }
    }
  }
  assert.equal(crc32(utf8("123456789")), 0xcbf43926);
});

test("canonical JSON is accepted in one spelling", () => {
  const { accepted, rejected } = canonicalCases();
  assert.ok(accepted.length > 10 && rejected.length > 10);
  for (const text of accepted) assert.equal(write(parse(text)), Buffer.from(text).toString());
  for (const text of rejected) assert.ok(refused(() => parse(text)), Buffer.from(text).toString());
});

/** Some cases of this file's own; the golden ones are below. */
function canonicalCases() {
  const deep = (n) => "[".repeat(n) + "]".repeat(n);
  const accepted = ["0", "-1", "9007199254740991", '""', '"\\u001f\\b\\t\\n\\f\\r\\"\\\\"', '"é\u2028\u{1f600}"', "{}", "[]", '{"a":1,"b":[2,"c"]}', deep(16), `${"[".repeat(16)}1${"]".repeat(16)}`, '{"__proto__":1}'];
  const rejected = ["", " 0", "0 ", "00", "-0", "+1", "1.0", "1e3", "9007199254740992", "-9007199254740992", "99999999999999999999", "true", "null",
    '"', '"\n"', '"\\u0041"', '"\\u000A"', '"\\u000a"', '"\\/"', '"\\u00e9"', '"e\u0301"', '"\\ud800"', "[1,]", "[,1]", "[1 ,2]", '{"a":1,"a":2}', '{"b":1,"a":2}',
    '{"é":1}', '{"a" :1}', '{"a":1,}', "{a:1}", "[", "{", "[1", '{"a"', '{"a":', deep(17), "[]]", "\ufeff{}"];
  return { accepted: accepted.map(utf8), rejected: [...rejected.map(utf8), Uint8Array.of(0x22, 0xff, 0x22), Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)] };
}

test("the golden cases of canonical JSON", () => {
  for (const { name, runs, valid } of load("canonical.json")) {
    // runs: bytes in hexadecimal, and how often they stand there
    const bytes = Buffer.concat(runs.flatMap(([hex, count]) => new Array(count).fill(Buffer.from(hex, "hex"))));
    assert.equal(!refused(() => parse(bytes)), valid, name);
  }
});

test("fractions are in lowest terms, and divisions round as they say", () => {
  assert.deepEqual(fraction("-3/40", ""), [-3n, 40n]);
  assert.deepEqual(fraction("0", ""), [0n, 1n]);
  for (const text of ["2/4", "1/1", "0/3", "1/0", "-0", "01", "1/-2", "1.5", "", " 1", "1/2 ", "1".repeat(4097)]) assert.ok(refused(() => fraction(text, "")), text);
  for (let a = -20; a <= 20; a++) {
    for (let b = 1; b <= 7; b++) {
      assert.equal(floorDiv(BigInt(a), BigInt(b)), BigInt(Math.floor(a / b)));
      assert.equal(ceilDiv(BigInt(a), BigInt(b)), BigInt(Math.ceil(a / b)));
    }
  }
  for (let i = 0n; i < 200n; i++) assert.equal(bits(2n ** i), Number(i) + 1);
});

test("a panel of 200,000 people and as many values of a feature are no limit", () => {
  const n = 200000;
  const pool = { types: [[0]], typeOf: new Array(n).fill(0), homeOf: new Array(n).fill(-1), leaves: Array.from({ length: n }, (_, i) => i), households: [] };
  const tickets = pool.leaves.map((i) => Uint8Array.of(i >> 16, (i >> 8) & 255, i & 255));
  const panel = seated([[0, n - 1]], pool, { householdFeature: -1, household: 0 }, tickets);
  assert.equal(panel.length, n - 1);
  assert.equal(panel[n - 2], n - 2);
  const values = Array.from({ length: n }, (_, i) => ({ max: 1, min: 0, value: String(i) }));
  const { cells, firstCell } = readCells([{ name: "a", values }, { name: "b", values }]);
  assert.equal(cells.length, 2 * n);
  assert.deepEqual(firstCell, [0, n]);
});

test("a receipt has at most 1 MiB and the name of a draw", async () => {
  const { receipt } = golden.receipts[0];
  const refusal = (value) => checkReceipt(utf8(write(value)), {}).then(() => "", (error) => error.message);
  assert.match(await refusal({ ...receipt, identity: { ...receipt.identity, note: "x".repeat(2 ** 20) } }), /larger than 1 MiB/);
  for (const draw of ["", "Balls", "b".repeat(61), 1]) assert.match(await refusal({ ...receipt, draw }), /no name of a draw/);
});
