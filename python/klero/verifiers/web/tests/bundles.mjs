// Judges the fairness of trial bundles, for tests: one JSON object of a bundle's files (texts) a line comes in, and for each the first of
// the checks `lottery`, `quotas`, `certificate`, `gap` that fails goes out, or `ok`. A trial's declaration and pool stand for a round's.

import { createInterface } from "node:readline";
import { parse, utf8 } from "../canonical.js";
import { checkCertificate, checkGap } from "../certificate.js";
import { AT_ONCE } from "../checks.js";
import { ballsOf, checkQuotas, readLottery } from "../lottery.js";
import { readCells, readPool } from "../pool.js";

async function judge(files) {
  const [declaration, pool, lottery, certificate] = ["declaration", "pool", "lottery", "certificate"].map((name) => parse(utf8(files[`${name}.json`])));
  const instance = { ...declaration, ...readCells(declaration.features) };
  const people = pool.people.map(([, type], i) => [i, type]);
  const read = readPool({ ...pool, people, openings: [] }, 1, instance, declaration);
  let at = "lottery";
  try {
    const panels = readLottery(lottery, 1, instance, read);
    at = "quotas";
    await checkQuotas(panels, 1, instance, read, AT_ONCE);
    at = "certificate";
    const proof = await checkCertificate(certificate, 1, instance, read, AT_ONCE);
    at = "gap";
    checkGap(proof, 1, instance, read, ballsOf(panels, read));
    return "ok";
  } catch (error) {
    return error.constructor.name === "Fault" ? at : `${at}: ${error.stack}`;
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(await judge(JSON.parse(line)));
