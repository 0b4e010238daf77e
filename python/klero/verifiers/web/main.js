// The page's entry: starts it, and offers the checks to programs as window.klero.

import { Fault } from "./canonical.js";
import { unreadable, verify } from "./checks.js";
import { readZip } from "./zip.js";
import { newPace, start } from "./ui.js";

const plain = (checks) => checks.map(({ name, status, detail }) => ({ name, status, detail }));

/** The checks of a record's files, {name: Uint8Array}: [{name, status: "ok" | "FAIL" | "--", detail}]. */
const verifyFiles = async (files) => plain((await verify(new Map(Object.entries(files)), { pace: newPace() })).checks);

/** The checks of a record's ZIP (Uint8Array). */
async function verifyZip(bytes) {
  try {
    return plain((await verify(readZip(bytes), { pace: newPace() })).checks);
  } catch (error) {
    if (error instanceof Fault) return plain(unreadable(error.message));
    throw error;
  }
}

/** Name of the first check that fails, or null; stops there. */
async function firstFailure(files) {
  let failed = null;
  const seen = (check) => {
    if (check.status === "FAIL") failed = check.name;
    return failed === null;
  };
  await verify(new Map(Object.entries(files)), { seen });
  return failed;
}

/* global LIBRARIES */
window.klero = Object.freeze({ verify: verifyFiles, verifyZip, firstFailure, libraries: LIBRARIES });
start(LIBRARIES);
