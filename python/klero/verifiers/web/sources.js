// Where a draw's randomness comes from: balls, dice, a public lottery, drand. What a declaration may say of them, what a draw
// answers, and the seeds and the position that follow.

import { byNumber, fields, filled, hex, isHex, isText, isWhole, list, must, oneOf, rising, shown, utf8, whole } from "./canonical.js";
import { CHAINS, roundTime } from "./curves.js";
import { concat, eight, fromHex, hmac, seq, sha256, toNumber } from "./hashes.js";

const LEAST_OUTCOMES = 2n ** 64n;
const MOST_HASH = 2n ** 256n;

/** Unix time in seconds (BigInt) of a TIME: a real instant of UTC, to the second, years 2000 to 2199. */
export function time(value, what) {
  const form = isText(value) && /^(2[01]\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(value);
  must(form, `${what}: ${shown(value)} is not a time such as 2030-01-31T12:00:00Z`);
  const instant = Date.UTC(+form[1], +form[2] - 1, +form[3], +form[4], +form[5], +form[6]);
  // Date turns 31 April into 1 May; only a real instant comes back as it was.
  must(new Date(instant).toISOString() === value.replace("Z", ".000Z"), `${what}: ${value} is no real instant`);
  return BigInt(instant / 1000);
}

/** Text of a time for people and details: the same form. */
export const timeText = (seconds) =>
  seconds < 8000000000000n ? new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z") : `${seconds} s after 1970`;

function binomial(m, c) {
  let out = 1n;
  for (let i = 1n; i <= BigInt(c); i++) out = (out * (BigInt(m) - i + 1n)) / i;
  return out;
}

const KINDS = {
  balls(source, what, digitsOfM) {
    fields(source, ["digits", "kind", "time"], what);
    whole(source.digits, digitsOfM, 60, `${what}, digits`);
    return { time: time(source.time, `${what}, time`), outcomes: 10n ** BigInt(source.digits) };
  },
  dice(source, what) {
    fields(source, ["kind", "rolls", "time"], what);
    whole(source.rolls, 1, 200, `${what}, rolls`);
    return { time: time(source.time, `${what}, time`), outcomes: 6n ** BigInt(source.rolls) };
  },
  drand(source, what) {
    fields(source, ["chain", "kind", "round"], what);
    must(isText(source.chain) && CHAINS.has(source.chain), `${what}: no known drand chain`);
    whole(source.round, 2, Number.MAX_SAFE_INTEGER, `${what}, round`);
    return { time: roundTime(CHAINS.get(source.chain), source.round), outcomes: MOST_HASH };
  },
  lottery(source, what) {
    fields(source, ["draws", "kind", "time"], what);
    list(source.draws, `${what}, draws`);
    must(isWhole(source.draws.length, 1, 20), `${what}: not 1 to 20 draws`);
    let outcomes = 1n;
    source.draws.forEach((draw, i) => {
      const place = `${what}, draws, ${i}`;
      fields(draw, ["count", "most", "name"], place);
      whole(draw.count, 1, 20, `${place}, count`);
      whole(draw.most, draw.count + 1, 999, `${place}, most`);
      filled(draw.name, `${place}, name`);
      outcomes *= binomial(draw.most, draw.count);
    });
    return { time: time(source.time, `${what}, time`), outcomes };
  },
};

/** A declared list of sources: [{said, time}], `said` as in the declaration. */
export function readSources(value, what, digitsOfM) {
  list(value, what);
  must(value.length > 0, `${what}: empty`);
  let outcomes = 1n;
  const read = value.map((said, i) => {
    const place = `${what}, ${i}`;
    must(said !== null && typeof said === "object" && isText(said.kind), `${place}: no source`);
    oneOf(said.kind, Object.keys(KINDS), `${place}, kind`);
    const source = KINDS[said.kind](said, place, digitsOfM);
    outcomes *= source.outcomes;
    return { said, time: source.time };
  });
  rising(read, (a, b) => (a.said.kind < b.said.kind ? -1 : a.said.kind > b.said.kind ? 1 : 0), `${what}, kinds`);
  must(outcomes >= LEAST_OUTCOMES, `${what}: fewer than 2^64 outcomes`);
  const drand = beaconOf(read);
  for (const source of read) {
    // Whoever sees the beacon first could else still bend what people draw by hand.
    must(!drand || source === drand || source.time < drand.time, `${what}: ${source.said.kind} are not before the drand round`);
  }
  return read;
}

/** The sources that people draw by hand or read out: all but drand. */
export const byHand = (sources) => sources.filter((source) => source.said.kind !== "drand");

/** The drand source of a list, or undefined. */
export const beaconOf = (sources) => sources.find((source) => source.said.kind === "drand");

/** Of each reveal: its value (32 bytes), whether it is balls, and what a drand signature is to be checked with. */
export async function readReveals(reveals, sources, what) {
  must(reveals.length === sources.length, `${what}: ${reveals.length} reveals for ${sources.length} sources`);
  const out = [];
  for (let i = 0; i < sources.length; i++) {
    const reveal = reveals[i];
    const { said } = sources[i];
    const place = `${what}, reveal ${i}`;
    must(reveal !== null && typeof reveal === "object" && reveal.kind === said.kind, `${place}: not ${said.kind}`);
    out.push({ kind: said.kind, ...(await REVEALS[said.kind](reveal, said, place)) });
  }
  return out;
}

async function revealedDigits(reveal, count, digit, label, what) {
  fields(reveal, ["digits", "kind"], what);
  must(isText(reveal.digits) && reveal.digits.length === count && digit.test(reveal.digits), `${what}: not ${count} digits as asked for`);
  return { digits: reveal.digits, value: await seq(label, [utf8(reveal.digits)]) };
}

const REVEALS = {
  balls: (reveal, said, what) => revealedDigits(reveal, said.digits, /^[0-9]*$/, "klero/source/balls/v1", what),
  dice: (reveal, said, what) => revealedDigits(reveal, said.rolls, /^[1-6]*$/, "klero/source/dice/v1", what),
  async drand(reveal, said, what) {
    fields(reveal, ["kind", "previous_signature", "round", "signature"], what);
    must(reveal.round === said.round, `${what}: round ${shown(reveal.round)} in place of ${said.round}`);
    const chain = CHAINS.get(said.chain);
    hex(reveal.signature, chain.signature, `${what}, signature`);
    must(isHex(reveal.previous_signature, chain.previous), `${what}: previous_signature is not ${2 * chain.previous} hexadecimal digits`);
    const signature = fromHex(reveal.signature);
    const value = await seq("klero/source/drand/v1", [fromHex(said.chain), utf8(String(said.round)), await sha256(signature)]);
    return { value, chain: said.chain, round: said.round, signature, previous: fromHex(reveal.previous_signature) };
  },
  async lottery(reveal, said, what) {
    fields(reveal, ["kind", "numbers"], what);
    list(reveal.numbers, `${what}, numbers`);
    must(reveal.numbers.length === said.draws.length, `${what}: not the declared draws`);
    let line = "";
    said.draws.forEach((draw, i) => {
      const place = `${what}, draw ${i}`;
      const numbers = list(reveal.numbers[i], place);
      must(numbers.length === draw.count, `${place}: not ${draw.count} numbers`);
      for (const number of numbers) whole(number, 1, draw.most, place);
      rising(numbers, byNumber, place);
      line += numbers.map((number) => `${number}.`).join("") + "/"; // RFC 3797
    });
    const numbers = said.draws.map((draw, i) => [draw.name, reveal.numbers[i]]);
    return { numbers, value: await seq("klero/source/lottery/v1", [utf8(line)]) };
  },
};

/** The two seeds: that of the position leaves the balls out, which are added to it; that of the tickets has all. */
export async function seeds(commitment, reveals) {
  const values = (chosen) => chosen.map((reveal) => reveal.value);
  const index = await seq("klero/seed/index/v1", [commitment, ...values(reveals.filter((reveal) => reveal.kind !== "balls"))]);
  const tickets = await seq("klero/seed/tickets/v1", [commitment, ...values(reveals)]);
  return { index, tickets };
}

/** Position and number of rejections. `denominator` is M, a power of ten. */
export async function position(indexSeed, reveals, denominator) {
  const m = BigInt(denominator);
  const limit = (MOST_HASH / m) * m; // above it, small remainders would come once more than large ones
  const label = concat(utf8("klero/index/v1"), Uint8Array.of(0));
  let rejected = 0;
  for (;;) {
    const x = toNumber(await hmac(indexSeed, concat(label, eight(rejected))));
    if (x < limit) {
      const balls = reveals.find((reveal) => reveal.kind === "balls");
      const shift = balls ? BigInt(balls.digits.slice(0, String(denominator).length - 1)) : 0n;
      return { position: Number((x + shift) % m), rejected };
    }
    rejected++;
  }
}
