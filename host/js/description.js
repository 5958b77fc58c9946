// Descriptions and changes as the JSON text that the component reads.

const EXPECTED = "expected an object of fields, or JSON text";

/** The JSON text of a description or a change: as given, or of an object. What JSON would lose is refused. */
export function inJson(document, what = "a description") {
  if (typeof document === "string") return document;
  const text = JSON.stringify(document, function (name, value) {
    const fault = faultOf(this[name], value);
    if (!fault) return value;
    if (name === "" && this[name] === document) throw new TypeError(`${what} is ${fault}; ${EXPECTED}`);
    throw new TypeError(`\`${name}\` of ${what} is ${fault}, which JSON does not have`);
  });
  if (text === undefined) throw new TypeError(`${what} is undefined; ${EXPECTED}`);
  return text;
}

/** Why JSON would leave out a value, or have another for it; none where it would not. */
function faultOf(given, value) {
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value === null && given !== null) return "an invalid Date";
  if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
  // Maps, sets, bytes and promises have no fields.
  if (typeof given[Symbol.iterator] === "function" || typeof given.then === "function") {
    return `a ${given.constructor?.name ?? "thing without fields"}`;
  }
  return undefined;
}

const IS_JSON = "a description here is JSON; `imds export` makes it of TOML";

/** A problem of the component's with that text, with help where the text is another language. */
export function helped(problem, text) {
  const isOther = problem.position && !problem.help && !/^\s*(\{|$)/.test(text);
  return isOther ? { ...problem, help: IS_JSON } : problem;
}
