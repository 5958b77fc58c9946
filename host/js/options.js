// Options, checked by name and type: a wrong one would be noticed late, or never.

/** `Date` of a date, wherever it was made. */
export const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

/** What a value is, for who gave a wrong one. Texts and bytes may be secret. */
export function kindOf(value) {
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "number") return `the number ${value}`;
  if (tagOf(value) === "Date" && Number.isNaN(Number(value))) return "an invalid Date";
  if (typeof value === "object" || typeof value === "function") return `a value of the type ${tagOf(value)}`;
  return `a ${typeof value}`;
}

/**
 * The options of `what`. `known` has for each name a test of its value, and what is expected.
 *
 * @throws {TypeError} for another name, and for a value that fails its test.
 */
export function checked(what, given, known) {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TypeError(`the options of ${what} are an object, not ${kindOf(given)}; it takes ${names(known)}`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) throw new TypeError(`${what} has no option \`${name}\`; it takes ${names(known)}`);
    const [isRight, expected] = known[name];
    if (value !== undefined && !isRight(value)) {
      throw new TypeError(`the option \`${name}\` of ${what} is ${kindOf(value)}; expected ${expected}`);
    }
  }
  return given;
}

const names = (known) => Object.keys(known).map((name) => `\`${name}\``).join(", ");

export const isText = (value) => typeof value === "string";
export const isBytes = (value) => tagOf(value) === "Uint8Array";
export const flag = [(value) => typeof value === "boolean", "true or false"];

/** The signatures that the option `sign` gave. */
export function checkedSignatures(given) {
  const isWhole = [given?.signature, given?.pkcs7, given?.rsa2048].every(isText);
  if (isWhole) return given;
  const expected = "at once, not by a promise, an object of the texts `signature`, `pkcs7` and `rsa2048`";
  throw new TypeError(`the option \`sign\` gave ${kindOf(given)}; expected ${expected}`);
}
