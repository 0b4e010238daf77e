// Canonical JSON as docs/audit/bundle.md defines it: one pass over the bytes that accepts a document only if writing
// its value anew would give the same bytes. Nothing is repaired, so there is one spelling of every value.

/** Something in a record is not as the specification says. The message is the technical detail of a check. */
export class Fault extends Error {}

/** Throw a Fault unless the condition holds. */
export function must(condition, message) {
  if (!condition) throw new Fault(message);
}

const LEVELS = 16; // so many arrays and objects may stand within each other
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();
const SHORT = new Map([[8, "b"], [9, "t"], [10, "n"], [12, "f"], [13, "r"]]);

export const utf8 = (text) => ENCODER.encode(text);

/** Text from UTF-8 bytes; a Fault if they are not UTF-8. */
export function fromUtf8(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new Fault("not UTF-8");
  }
}

/** Order of two strings by code point (JavaScript's own `<` goes by UTF-16 units, which differs above U+FFFF). */
export function compareText(a, b) {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates stand for code points above every other unit.
      const high = (unit) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);
      return high(x) - high(y);
    }
  }
  return a.length - b.length;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  fail(what) {
    throw new Fault(`not canonical JSON: ${what} at byte ${this.at}`);
  }

  value(around) {
    const byte = this.bytes[this.at];
    if (around === LEVELS && (byte === 0x7b || byte === 0x5b)) this.fail(`more than ${LEVELS} arrays and objects within each other`);
    if (byte === 0x22) return this.string();
    if (byte === 0x7b) return this.object(around);
    if (byte === 0x5b) return this.array(around);
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.integer();
    return this.fail(byte === undefined ? "the end" : "no value");
  }

  integer() {
    const start = this.at;
    if (this.bytes[this.at] === 0x2d) this.at++;
    const first = this.at;
    while (this.bytes[this.at] >= 0x30 && this.bytes[this.at] <= 0x39) this.at++;
    const digits = this.at - first;
    const zero = this.bytes[first] === 0x30;
    if (digits === 0 || digits > 16 || (zero && (digits > 1 || first > start))) this.fail("no integer");
    let number = 0;
    for (let i = first; i < this.at; i++) number = number * 10 + (this.bytes[i] - 0x30);
    // Sixteen digits are below 10^16; a sum that was rounded on the way is above 2^53 in any case.
    if (number > Number.MAX_SAFE_INTEGER) this.fail("an integer of 2^53 or more");
    return first > start ? -number : number;
  }

  string() {
    const bytes = this.bytes;
    let start = ++this.at;
    let text = "";
    let ascii = true;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === undefined) this.fail("a string without an end");
      if (byte < 0x20) this.fail("a bare control character");
      if (byte === 0x22) break;
      if (byte >= 0x80) ascii = false;
      if (byte === 0x5c) {
        text += fromUtf8(bytes.subarray(start, this.at)) + this.escape();
        start = this.at;
      } else {
        this.at++;
      }
    }
    text += fromUtf8(bytes.subarray(start, this.at));
    this.at++;
    if (!ascii && text.normalize("NFC") !== text) this.fail("a string that is not in NFC");
    return text;
  }

  escape() {
    const next = this.bytes[this.at + 1];
    if (next === 0x22 || next === 0x5c) {
      this.at += 2;
      return next === 0x22 ? '"' : "\\";
    }
    for (const [code, letter] of SHORT) {
      if (next === letter.charCodeAt(0)) {
        this.at += 2;
        return String.fromCharCode(code);
      }
    }
    const digits = String.fromCharCode(...this.bytes.subarray(this.at + 1, this.at + 6));
    if (!/^u00[01][0-9a-f]$/.test(digits)) this.fail("an escape that is not the one form");
    const code = parseInt(digits.slice(1), 16);
    if (SHORT.has(code)) this.fail("an escape that is not the one form");
    this.at += 6;
    return String.fromCharCode(code);
  }

  array(around) {
    const items = [];
    this.at++;
    if (this.bytes[this.at] === 0x5d) {
      this.at++;
      return items;
    }
    for (;;) {
      items.push(this.value(around + 1));
      const byte = this.bytes[this.at++];
      if (byte === 0x5d) return items;
      if (byte !== 0x2c) this.at--, this.fail("neither , nor ]");
    }
  }

  object(around) {
    const fields = Object.create(null); // no inherited names: «__proto__» is a key like any other
    let last = null;
    this.at++;
    if (this.bytes[this.at] === 0x7d) {
      this.at++;
      return fields;
    }
    for (;;) {
      if (this.bytes[this.at] !== 0x22) this.fail("no key");
      const key = this.string();
      if (!/^[\x00-\x7f]*$/.test(key)) this.fail("a key that is not ASCII");
      if (last !== null && !(last < key)) this.fail("keys out of order or twice");
      last = key;
      if (this.bytes[this.at] !== 0x3a) this.fail("no :");
      this.at++;
      fields[key] = this.value(around + 1);
      const byte = this.bytes[this.at++];
      if (byte === 0x7d) return fields;
      if (byte !== 0x2c) this.at--, this.fail("neither , nor }");
    }
  }
}

/** The value of a canonical document; objects have no prototype. */
export function parse(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) reader.fail("something after the value");
  return value;
}

function quote(text) {
  let out = '"';
  for (const letter of text) {
    const code = letter.codePointAt(0);
    if (letter === '"' || letter === "\\") out += "\\" + letter;
    else if (SHORT.has(code)) out += "\\" + SHORT.get(code);
    else if (code < 0x20) out += "\\u" + code.toString(16).padStart(4, "0");
    else out += letter;
  }
  return out + '"';
}

/** The canonical text of a value made of objects, arrays, strings and integers. */
export function write(value) {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return "[" + value.map(write).join(",") + "]";
  const keys = Object.keys(value).sort();
  return "{" + keys.map((key) => quote(key) + ":" + write(value[key])).join(",") + "}";
}

// What the readers of the files say about values.

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
export const isText = (value) => typeof value === "string";
export const isWhole = (value, least, most) => Number.isSafeInteger(value) && value >= least && value <= most;

/** Is it lower-case hexadecimal of so many bytes? */
export const isHex = (value, bytes) => isText(value) && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value);

/** Fail unless the value is an object with exactly these fields. */
export function fields(value, names, what) {
  must(isObject(value), `${what}: not an object`);
  const have = Object.keys(value);
  for (const name of names) must(name in value, `${what}: the field "${name}" is missing`);
  for (const name of have) must(names.includes(name), `${what}: there is a field "${name}" that should not be`);
}

export function list(value, what) {
  must(Array.isArray(value), `${what}: not a list`);
  return value;
}

export function whole(value, least, most, what) {
  must(isWhole(value, least, most), `${what}: ${shown(value)} is not an integer from ${least} to ${most}`);
  return value;
}

export function text(value, what) {
  must(isText(value), `${what}: not a text`);
  return value;
}

export function filled(value, what) {
  must(isText(value) && value !== "", `${what}: not a text, or an empty one`);
  return value;
}

export function hex(value, bytes, what) {
  must(isHex(value, bytes), `${what}: not ${2 * bytes} lower-case hexadecimal digits`);
  return value;
}

export function oneOf(value, choices, what) {
  must(choices.includes(value), `${what}: ${shown(value)} is none of ${choices.join(", ")}`);
  return value;
}

/** Fail unless the items rise strictly. */
export function rising(items, compare, what) {
  for (let i = 1; i < items.length; i++) must(compare(items[i - 1], items[i]) < 0, `${what}: out of order or twice, at place ${i}`);
}

export const byNumber = (a, b) => a - b;

/** Order of two lists of integers: the first difference decides, and a list comes before those that it begins. */
export function compareNumbers(a, b) {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** A value in a message, cut where it is long. */
export function shown(value) {
  const written = value === undefined ? "nothing" : isText(value) ? `"${value}"` : write(value);
  return written.length > 60 ? written.slice(0, 60) + "…" : written;
}
