// What the record says, for people: the draw and its rounds, as a list of names and values. Data from the record only ever becomes text.

import { CHAINS } from "./curves.js";
import { toHex } from "./hashes.js";
import { timeText } from "./sources.js";

/** An element with attributes and children; strings become text. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Text from the record, kept apart from the page's own: another writing direction in it can't reorder what stands around. */
const said = (text) => el("bdi", {}, text);
const hash = (text) => el("span", { class: "hash" }, text);

const LOCALES = { en: "en-GB", fr: "fr-FR" }; // English as most of the world writes dates

function instant(seconds, language) {
  const iso = timeText(seconds);
  if (!iso.endsWith("Z")) return document.createTextNode(iso);
  const text = new Intl.DateTimeFormat(LOCALES[language], { dateStyle: "long", timeStyle: "medium", timeZone: "UTC" }).format(new Date(iso));
  const first = language === "fr" ? text.replace(/^1 /, "1er ") : text;
  return el("time", { datetime: iso }, `${first} UTC`);
}

function table(rows) {
  const out = el("dl");
  for (const [name, ...values] of rows) out.append(el("dt", {}, name), el("dd", {}, ...values));
  return out;
}

export const roundName = (round, w) => (round === 0 ? w.firstRound : w.laterRound(round));

function reveal(value, w) {
  if (value.kind === "balls" || value.kind === "dice") return w.source[value.kind](value);
  if (value.kind === "drand") return w.source.drand({ beacon: CHAINS.get(value.chain).beacon, round: value.round, signature: toHex(value.signature) });
  return w.source.lottery({ numbers: value.numbers.map(([name, numbers]) => `${name} ${numbers.join(" ")}`).join("; ") });
}

const fraction = (millionths, language) => new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: 6 }).format(millionths / 1e6);

function roundFacts({ round: number, commitment, reading, draw }, declaration, w, language) {
  const rows = [
    [w.hash, hash(toHex(commitment.hash))],
    [w.committed, instant(commitment.instant, language)],
    [w.gap, fraction(commitment.body.summary.gap, language)],
  ];
  if (reading) rows.push([w.read, instant(reading.instant, language)]);
  if (draw === null) {
    const due = declaration.rounds[number].map((source) => el("li", {}, `${w.announced(source.said.kind)}${w.colon}`, instant(source.time, language)));
    const read = (reading?.reveals ?? []).map((value) => el("li", {}, said(reveal(value, w))));
    rows.push([w.drawn, w.notDrawn], [w.randomness, el("ul", {}, ...due, ...read)]);
  } else {
    rows.push([w.drawn, instant(draw.instant, language)]);
    if (draw.reveals) rows.push([w.randomness, el("ul", {}, ...draw.reveals.map((value) => el("li", {}, said(reveal(value, w)))))]);
    rows.push([w.seed, hash(draw.body.seed)], [w.position, String(draw.body.position)]);
  }
  const out = [el("h3", {}, roundName(number, w)), table(rows)];
  if (draw?.body.fallback === "yes") out.push(el("p", { class: "warning" }, w.fallback));
  return out;
}

/** What the record says, as elements; empty as long as declaration and log could not be read. */
export function facts(record, w, language) {
  const { declaration, log } = record;
  if (!declaration) return [];
  const number = new Intl.NumberFormat(LOCALES[language]).format;
  const keys = declaration.keys.map(({ name, role, key }) => el("li", {}, said(name), ` (${w.roles[role]})${w.colon}`, hash(key)));
  const rows = [
    [w.name, said(declaration.title)],
    [w.question, declaration.question === "" ? w.noQuestion : said(declaration.question)],
    [w.organiser, said(declaration.organiser)],
    [w.draw, said(declaration.draw)],
    [w.sequence, number(declaration.sequence)],
    [w.people, number(declaration.people)],
    [w.size, number(declaration.size)],
    [w.objective, w.objectives[declaration.objective]],
    [w.tolerance, fraction(declaration.tolerance, language)],
    [w.signers(declaration.threshold, declaration.keys.length), el("ul", {}, ...keys)],
  ];
  if (!log) return [table(rows)];
  const withdrawn = log.entries.reduce((sum, entry) => sum + (entry.kind === "withdrawals" ? entry.body.withdrawals.length : 0), 0);
  if (withdrawn) rows.push([w.withdrawals, number(withdrawn)]);
  const last = log.entries[log.entries.length - 1];
  if (last.kind === "abort") rows.push([w.abort, said(last.body.reason)]);
  return [table(rows), ...log.rounds.flatMap((round) => roundFacts(round, declaration, w, language))];
}
