// Makes ../verifier.html, one file, from the sources here: `npm ci --ignore-scripts && node build.mjs`. With `--check` it writes nothing
// and says by its exit code whether the file is the one that the sources make. Same sources and lock, same bytes.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "verifier.html");
const read = (...path) => readFileSync(join(here, ...path), "utf8");
const sha256 = (data, as = "hex") => createHash("sha256").update(data).digest(as);

const options = {
  absWorkingDir: here,
  entryPoints: ["main.js"],
  bundle: true,
  write: false,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "inline",
  metafile: true,
  logLevel: "warning",
};

/**
 * One line for each library in the page: name, version, and the SHA-256 of the list of its files that are bundled, as
 * `sha256sum` writes it (digest, two spaces, path in the package, line feed), sorted by path.
 */
function libraries(inputs) {
  const files = new Map();
  for (const input of inputs) {
    const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(relative(here, join(here, input)).replaceAll("\\", "/"));
    if (!found) continue;
    if (!files.has(found[1])) files.set(found[1], []);
    files.get(found[1]).push(found[2]);
  }
  return [...files.keys()].sort().map((name) => {
    const { version } = JSON.parse(read("node_modules", name, "package.json"));
    const list = files.get(name).sort().map((path) => `${sha256(readFileSync(join(here, "node_modules", name, path)))}  ${path}\n`);
    return `${name} ${version}, SHA-256 ${sha256(list.join(""))}`;
  });
}

async function page() {
  const first = await build({ ...options, define: { LIBRARIES: "[]" } });
  const lines = libraries(Object.keys(first.metafile.inputs));
  const { outputFiles } = await build({ ...options, define: { LIBRARIES: JSON.stringify(lines) } });
  const script = outputFiles[0].text;
  const style = read("style.css");
  // A browser hashes the element's text as it parsed it: nothing in it may end the element, and line ends stay as they are.
  if (/<\/script|<!--|\r/i.test(script) || /<\/style|\r/i.test(style)) throw new Error("text that an HTML parser would change");
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script, "base64")}'`,
    `style-src 'sha256-${sha256(style, "base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  const parts = { policy, style, script };
  return read("page.html").replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
}

const made = await page();
if (process.argv.includes("--check")) {
  const same = readFileSync(target, "utf8") === made;
  console.error(same ? "verifier.html is what its sources make" : "verifier.html is not what its sources make: run node build.mjs");
  process.exitCode = same ? 0 : 1;
} else {
  writeFileSync(target, made);
  console.error(`${target}: ${Buffer.byteLength(made)} bytes, SHA-256 ${sha256(made)}`);
}
