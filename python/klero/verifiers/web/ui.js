// The page: opening a record, running the checks while the page stays usable, and showing what came out in words.

import { Fault } from "./canonical.js";
import { unreadable, verify, NAMES } from "./checks.js";
import { el, facts, roundName } from "./facts.js";
import { fromDropped, fromFolder, fromInput, fromZip, NoRecord, takeDropped } from "./files.js";
import { toHex } from "./hashes.js";
import { checkReceipt, MOST_RECEIPT } from "./receipt.js";
import { REMADE } from "./zip.js";
import { checkWords, LANGUAGES, WORDS } from "./words.js";

const STEP_MS = 40; // work is cut into pieces of about so long
const SYMBOLS = { ok: "✓", FAIL: "✗", "--": "–" };
const CLASSES = { ok: "ok", FAIL: "fail", "--": "open" };

const byId = (id) => document.getElementById(id);
const state = { language: "en", run: 0, result: null, notice: null, busy: null, receipt: null };

/** French has a fixed space before : ; ! ? and within « ». */
function fixed(text) {
  if (state.language !== "fr") return text;
  return text.replace(/ ([:;!?»])/g, "\u00a0$1").replace(/« /g, "«\u00a0");
}

/** The words of the language: texts and functions that give texts. */
function words() {
  const wrap = (value) => {
    if (typeof value === "string") return fixed(value);
    if (typeof value === "function") return (...given) => fixed(value(...given));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, wrap(inner)]));
  };
  return wrap(WORDS[state.language]);
}

const checkWord = (name, kind) => fixed(checkWords(name, state.language)[kind]);

// The page's turn, a message away: timers are slowed down in the background and to 4 ms each.
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.shift()();
const turn = () => new Promise((resolve) => {
  waiting.push(resolve);
  channel.port2.postMessage(0);
});

/** Lets the page breathe whenever it has worked for long enough. */
export function newPace() {
  let last = performance.now();
  return {
    async pause() {
      if (performance.now() - last < STEP_MS) return;
      await turn();
      last = performance.now();
    },
  };
}

function renderWords(w) {
  document.documentElement.lang = state.language;
  document.title = `${w.title} – klero`;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = w[element.dataset.word];
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", w[element.dataset.label]);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === state.language));
  }
}

function renderOpening(w) {
  byId("notice").textContent = state.notice === null ? "" : state.notice(w);
  byId("progress").hidden = state.busy === null;
  if (state.busy === null) return;
  const { done } = state.busy;
  byId("progress-text").textContent = done < 0 ? w.reading : w.progress(done + 1, NAMES.length, checkWord(NAMES[done], "title"));
  byId("bar").value = Math.max(0, done);
}

function renderVerdict(w, checks) {
  const failed = checks.filter((check) => check.status === "FAIL");
  const count = (status) => checks.filter((check) => check.status === status).length;
  byId("verdict").className = failed.length ? "bad" : "";
  byId("verdict-title").textContent = failed.length ? w.invalid(checkWord(failed[0].name, "title")) : w.valid;
  byId("verdict-text").textContent = failed.length ? sentence(w, failed[0], checks) : "";
  byId("verdict-part").textContent = failed.length ? w.invalidPart(failed.length) : w.validPart(count("ok"), count("--"));
  byId("verdict-trust").hidden = failed.length > 0;
}

/** What a check's outcome means; where it was not made for want of others, the first of those. */
function sentence(w, check, all) {
  if (check.detail.startsWith(REMADE)) return w.remade;
  if (!check.because) return checkWord(check.name, check.status);
  let first = check;
  while (first.because) first = all.find((other) => other.name === first.because);
  if (check.status === "FAIL") return w.because(checkWord(first.name, "title"));
  return checkWord(check.name, "--") || w.missing(checkWord(first.name, "title"));
}

function renderChecks(w, checks) {
  const open = new Set([...document.querySelectorAll("#checks details[open]")].map((details) => details.dataset.check));
  byId("checks").replaceChildren(...checks.map((check) => {
    const detail = el("p", { lang: "en" }, check.detail);
    const details = el("details", { "data-check": check.name }, el("summary", {}, w.detail), el("p", {}, `${w.specified} `, el("code", {}, check.name)));
    if (check.detail) details.append(detail);
    details.open = open.has(check.name);
    const status = el("span", { class: "status" }, el("span", { "aria-hidden": "true" }, `${SYMBOLS[check.status]} `), w.statuses[check.status]);
    return el("li", { class: CLASSES[check.status] }, el("h3", {}, checkWord(check.name, "title")), el("p", {}, status), el("p", {}, sentence(w, check, checks)), details);
  }));
}

function renderCompared(w) {
  const given = byId("published").value.replace(/\s/g, "").toLowerCase();
  const rounds = state.result?.record?.log?.rounds ?? [];
  const found = rounds.find(({ commitment }) => toHex(commitment.hash) === given);
  const form = /^[0-9a-f]{64}$/.test(given);
  const text = given === "" ? "" : found ? w.compareSame(roundName(found.round, w)) : form ? w.compareOther : w.compareForm;
  byId("compared").textContent = text;
  byId("compared").className = found ? "good" : "bad-text";
}

function renderReceipt(w) {
  const box = byId("received");
  const { receipt, result } = state;
  if (receipt === null) return box.replaceChildren();
  if (receipt.fault !== undefined) {
    const detail = el("details", {}, el("summary", {}, w.detail), el("p", { lang: "en" }, receipt.fault));
    return box.replaceChildren(el("p", { class: "bad-text" }, receipt.unread ? w.receiptWait : w.receiptBad), detail);
  }
  const failed = result.checks.some((check) => check.status === "FAIL");
  const lines = [el("p", { class: "good" }, w.receiptGood(receipt.number, receipt.id))];
  if (failed) lines.push(el("p", { class: "warning" }, w.receiptDoubtful));
  if (receipt.draws.length === 0) lines.push(el("p", {}, w.receiptUndrawn));
  for (const draw of receipt.draws) {
    const name = roundName(draw.round, w);
    const ticket = el("span", { class: "hash" }, draw.ticket);
    lines.push(el("p", {}, draw.seat ? w.receiptSeat(name) : w.receiptNoSeat(name), el("br"), `${w.receiptTicket}${w.colon}`, ticket));
  }
  if (receipt.withdrawn) lines.push(el("p", {}, w.receiptWithdrawn(w.codes[receipt.withdrawn.code])));
  return box.replaceChildren(...lines);
}

function render() {
  const w = words();
  renderWords(w);
  renderOpening(w);
  byId("result").hidden = state.result === null;
  if (state.result === null) return;
  const { checks, record } = state.result;
  renderVerdict(w, checks);
  byId("known").hidden = !record?.declaration;
  byId("compare").hidden = !record?.log;
  byId("doubtful").hidden = checks.every((check) => check.status !== "FAIL");
  if (record) byId("facts").replaceChildren(...facts(record, w, state.language));
  renderCompared(w);
  renderReceipt(w);
  renderChecks(w, checks);
}

function show(result, notice = null) {
  state.busy = null;
  state.result = result;
  state.notice = notice;
  render();
  if (result) byId("verdict-title").focus();
}

/** Open what `read` gives (a Map of files) and check it; a later opening ends this one. */
async function open(read) {
  const run = ++state.run;
  Object.assign(state, { result: null, receipt: null, busy: { done: -1 }, notice: (w) => w.reading });
  byId("published").value = "";
  render();
  await turn();
  try {
    const files = await read();
    const pace = newPace();
    let drawn = performance.now();
    const seen = () => {
      state.busy = { done: Math.min(NAMES.length - 1, state.busy.done + 1) };
      if (performance.now() - drawn > STEP_MS) {
        renderOpening(words());
        drawn = performance.now();
      }
      return run === state.run;
    };
    if (run !== state.run) return;
    state.busy = { done: 0 };
    state.notice = null;
    const result = await verify(files, { pace, seen });
    if (run === state.run) show(result);
  } catch (error) {
    if (run !== state.run) return;
    if (error instanceof NoRecord) show(null, (w) => w.noRecord[error.kind]);
    else if (error instanceof Fault) show({ checks: unreadable(error.message), record: null });
    else show(null, (w) => w.unreadable);
  }
}

async function openReceipt(file) {
  const { result, run } = state;
  const { record } = result;
  let outcome = null;
  if (!record.log || !record.leaves || !record.root) {
    outcome = { fault: "declaration, leaves, log or commitment could not be read", unread: true };
  } else if (file.size > MOST_RECEIPT) {
    outcome = { fault: "receipt: larger than 1 MiB" };
  } else {
    try {
      outcome = await checkReceipt(new Uint8Array(await file.arrayBuffer()), record);
    } catch (error) {
      outcome = { fault: error instanceof Fault ? error.message : String(error) };
    }
  }
  if (run !== state.run) return;
  state.receipt = outcome;
  renderReceipt(words());
}

function openDropped(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  if (items.length === 1) {
    // The list of items is gone once this event is over, so all that may be needed is taken from it now.
    const dropped = takeDropped(items[0]);
    return open(() => fromDropped(dropped));
  }
  state.notice = (w) => w.oneThing;
  return render();
}

function listen() {
  const picker = (button, input, use) => {
    byId(button).addEventListener("click", () => byId(input).click());
    byId(input).addEventListener("change", () => {
      const files = [...byId(input).files];
      byId(input).value = ""; // so that choosing the same again is a change
      if (files.length) use(files);
    });
  };
  picker("pick-zip", "zip", ([file]) => open(() => fromZip(file)));
  picker("pick-folder", "folder", (files) => open(() => fromFolder(fromInput(files))));
  picker("pick-receipt", "receipt", ([file]) => openReceipt(file));
  byId("published").addEventListener("input", () => renderCompared(words()));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      state.language = button.dataset.language;
      render();
    });
  }
  const over = (on) => byId("drop").classList.toggle("over", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault(); // a browser would else leave the page for the file
    over(false);
    openDropped(event.dataTransfer);
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => closed.forEach((details) => (details.open = false)));
}

/** Start the page. `libraries`: lines that name what is bundled. */
export function start(libraries) {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag));
  state.language = wanted ?? "en";
  byId("libraries").append(...libraries.map((line) => el("li", {}, el("span", { class: "hash" }, line))));
  listen();
  render();
}
