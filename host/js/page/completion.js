// What may stand at a place of a description, by its JSON Schema.
import { placeAt } from "./json_place.js";

/** Completions at the caret, and the range of the text that each takes the place of. */
export function complete(schema, text, caret) {
  const place = placeAt(text, caret);
  if (!place) return { from: caret, to: caret, items: [] };
  const { from, to } = place;
  const written = text.slice(from, Math.min(caret, to)).replace(/"/g, "").toLowerCase();
  const here = at(schema, { $ref: "#" }, place.path);
  const all = place.is === "key" ? keys(schema, here, place.keys, text.slice(to)) : values(schema, here);
  const rank = ({ label }) => label.toLowerCase().indexOf(written);
  const items = all.filter((item) => rank(item) >= 0).sort((a, b) => Number(rank(a) > 0) - Number(rank(b) > 0));
  // What is written already needs no completion.
  return { from, to, items: items.length === 1 && items[0].insert.trimEnd() === text.slice(from, to) ? [] : items };
}

/** The schemas that a schema stands for: without references, and with each of its parts and alternatives. */
function plain(schema, part) {
  if (part === undefined || typeof part !== "object") return [];
  const { $ref, allOf = [], anyOf = [], oneOf = [], ...own } = part;
  const referred = $ref === undefined ? [] : plain(schema, pointed(schema, $ref));
  const described = referred.map((other) => ({
    ...other, description: own.description ?? other.description, default: own.default ?? other.default,
  }));
  const others = [...allOf, ...anyOf, ...oneOf].flatMap((other) => plain(schema, other));
  return [...($ref === undefined ? [own] : []), ...described, ...others];
}

function pointed(schema, reference) {
  return reference.slice(1).split("/").filter(Boolean).reduce((part, name) => part?.[name], schema);
}

function at(schema, part, path) {
  let parts = plain(schema, part);
  for (const name of path) {
    parts = parts.flatMap(({ properties, additionalProperties, items }) =>
      plain(schema, typeof name === "number" ? items : (properties?.[name] ?? additionalProperties)));
  }
  return parts;
}

function keys(schema, parts, present, behind) {
  const named = parts.flatMap(({ properties = {} }) => Object.entries(properties));
  const free = named.filter(([name]) => !present.includes(name) && !name.startsWith("$"));
  const hasColon = /^\s*:/.test(behind);
  return free.map(([name, part]) => ({
    label: name,
    detail: plain(schema, part).find(({ description }) => description)?.description ?? "",
    insert: hasColon ? JSON.stringify(name) : `${JSON.stringify(name)}: `,
  }));
}

function values(schema, parts) {
  const told = new Map();
  const tell = (value, detail = "") => {
    const insert = JSON.stringify(value);
    if (value === null || told.has(insert)) return;
    told.set(insert, { label: typeof value === "string" ? value : insert, detail, insert });
  };
  for (const part of parts) {
    if (part.default !== undefined) tell(part.default, "default");
    if (part.const !== undefined) tell(part.const, part.description);
    for (const value of part.enum ?? []) tell(value);
    if (part.type === "boolean") [true, false].forEach((value) => tell(value));
    if (part.type === "object") tell({}, part.description);
    if (part.type === "array") tell([], part.description);
  }
  return [...told.values()];
}
