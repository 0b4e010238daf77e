// From what the reader opens or drops (a ZIP, a folder) to a record's files. Sizes are looked at before anything is read.

import { must } from "./canonical.js";
import { MOST_FILE, MOST_RECORD, MOST_ZIP, readZip } from "./zip.js";

const MOST_FILES = 1500; // 999 entries, 100 rounds of four files, and a few
const RECEIPTS = /^receipts\//;

/** Something else was opened than a record: `kind` says what, for a kind word. */
export class NoRecord extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

/** Files of a ZIP (a File). */
export async function fromZip(file) {
  must(file.size <= MOST_ZIP, "the file is larger than a record may be (1 GiB)");
  return readZip(await bytesOf(file));
}

/** Files of a folder, from [[path below the folder, File or null for an empty folder], …]. */
export async function fromFolder(found) {
  const kept = found.filter(([name]) => !RECEIPTS.test(name));
  const names = new Set(kept.map(([name]) => name));
  if (!names.has("public/declaration.json")) {
    if (names.has("pool.json") || names.has("lottery.json")) throw new NoRecord("trial");
    if (names.has("leaves.txt")) throw new NoRecord("inside");
    if (kept.length === 0) throw new NoRecord("empty");
  }
  must(kept.length <= MOST_FILES, `the folder holds more than ${MOST_FILES} files`);
  let all = 0;
  for (const [name, file] of kept) {
    must(file !== null, `${name} is an empty folder`);
    must(file.size <= MOST_FILE, `${name} is larger than 256 MiB`);
    all += file.size;
  }
  must(all <= MOST_RECORD, "the folder is larger than a record may be (1 GiB)");
  const files = new Map();
  for (const [name, file] of kept) files.set(name, await bytesOf(file));
  return files;
}

/** The list that fromFolder takes, from a folder input: paths begin with the folder's own name. */
export const fromInput = (list) => [...list].map((file) => [file.webkitRelativePath.split("/").slice(1).join("/"), file]);

// A dropped folder can be read in two ways, by handles and by entries. Chromium lets a page that was opened from the disk use
// handles alone, and other browsers have entries alone.

/** What to keep of a dropped item. */
export const takeDropped = (item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.(), handle: item.getAsFileSystemHandle?.() });

/** A record's files from what was dropped: a ZIP or a folder. */
export async function fromDropped({ file, entry, handle }) {
  const found = await handle;
  if (found?.kind === "directory") return fromFolder(await walked(found, handleChildren));
  if (entry?.isDirectory) return fromFolder(await walked(entry, entryChildren));
  return fromZip(file);
}

/** The list that fromFolder takes. `children` gives those of a folder: [[name, folder or null, how to get the File], …]. */
async function walked(top, children) {
  const found = [];
  const walk = async (folder, before) => {
    const inside = await children(folder);
    if (inside.length === 0 && before) found.push([before, null]);
    for (const [name, inner, file] of inside) {
      must(found.length <= MOST_FILES, `the folder holds more than ${MOST_FILES} files`);
      const path = before + name;
      if (!inner) found.push([path, await file()]);
      else if (path !== "receipts") await walk(inner, `${path}/`);
    }
  };
  await walk(top, "");
  return found;
}

async function handleChildren(folder) {
  const out = [];
  for await (const [name, handle] of folder.entries()) out.push([name, handle.kind === "directory" ? handle : null, () => handle.getFile()]);
  return out;
}

async function entryChildren(folder) {
  const reader = folder.createReader();
  const out = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // it gives them in portions
    if (some.length === 0) return out;
    for (const entry of some) {
      out.push([entry.name, entry.isDirectory ? entry : null, () => new Promise((resolve, reject) => entry.file(resolve, reject))]);
    }
  }
}
