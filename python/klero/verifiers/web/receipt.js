// One person's receipt against a record: is this person's leaf in it, was it drawn, and what was its ticket.

import { fields, hex, isHex, list, must, oneOf, parse, shown, text, utf8, whole, write } from "./canonical.js";
import { tickets } from "./checks.js";
import { isId, MOST } from "./declaration.js";
import { concat, fromHex, rootOfPath, toHex } from "./hashes.js";
import { withdrawnIn } from "./log.js";
import { personOf, readIdentity } from "./succession.js";

export const MOST_RECEIPT = 2 ** 20;
const FIELDS = ["attributes", "commitment", "draw", "format", "household", "identity", "leaf", "leaves", "path", "root", "salt", "weight"];

function readReceipt(bytes) {
  const what = "receipt";
  must(bytes.length <= MOST_RECEIPT, `${what}: larger than 1 MiB`);
  const value = parse(bytes);
  fields(value, FIELDS, what);
  oneOf(value.format, ["klero-receipt/1"], `${what}, format`);
  for (const pair of list(value.attributes, `${what}, attributes`)) {
    must(list(pair, `${what}, attributes`).length === 2, `${what}, attributes: not feature and value`);
    for (const part of pair) text(part, `${what}, attributes`);
  }
  for (const name of ["commitment", "root", "salt"]) hex(value[name], 32, `${what}, ${name}`);
  must(isId(value.draw), `${what}, draw: ${shown(value.draw)} is no name of a draw`);
  must(value.household === "" || isHex(value.household, 16), `${what}, household: neither empty nor 32 digits`);
  readIdentity(value.identity, what);
  whole(value.leaves, 1, MOST, `${what}, leaves`);
  whole(value.leaf, 0, value.leaves - 1, `${what}, leaf`);
  for (const side of list(value.path, `${what}, path`)) hex(side, 32, `${what}, path`);
  whole(value.weight, 1, 10 ** 12, `${what}, weight`);
  return value;
}

/**
 * Check a receipt, with the record as `verify` has left it; throws a Fault if it is not good. Returns {leaf, number, id, draws: [{round,
 * seat, ticket}], withdrawn: null | {entry, code}}.
 */
export async function checkReceipt(bytes, record) {
  const receipt = readReceipt(bytes);
  const { attributes, household, weight } = receipt;
  const opening = utf8(write({ attributes, household, weight }));
  const { leaf, cId } = await personOf(receipt.draw, receipt.identity, fromHex(receipt.salt), opening);
  const root = await rootOfPath(fromHex(leaf), receipt.leaf, receipt.leaves, receipt.path.map(fromHex));
  must(root !== null && toHex(root) === receipt.root, "receipt: leaf and path do not give its root");
  const { declaration, leaves, log } = record;
  must(receipt.draw === declaration.draw, `receipt: of the draw ${receipt.draw}, not ${declaration.draw}`);
  must(receipt.root === record.root, "receipt: its root is not the record's");
  must(receipt.leaves === leaves.lines.length, "receipt: another number of leaves than the record's");
  must(leaves.lines[receipt.leaf] === leaf, "receipt: its leaf is not at this place of the record");
  must(receipt.commitment === toHex(log.rounds[0].commitment.hash), "receipt: its commitment is not the record's first");
  const draws = [];
  for (const { draw: entry } of log.rounds.filter(({ draw }) => draw)) {
    const [ticket] = await tickets(fromHex(entry.body.seed), [concat(fromHex(leaf), cId)]);
    draws.push({ round: entry.body.round, seat: entry.body.panel.includes(leaf), ticket: toHex(ticket) });
  }
  const gone = withdrawnIn(log).get(leaf);
  const withdrawn = gone === undefined ? null : { entry: gone, code: log.entries[gone - 1].body.withdrawals.find((item) => item[0] === leaf)[1] };
  return { leaf, number: receipt.leaf, id: receipt.identity.id, draws, withdrawn };
}
