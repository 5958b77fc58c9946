// Where the cursor stands in a change that is still being written, and what the schema
// has for that place.

/** A text, whole or not; a bracket or a mark; or a word without quotes. */
const PIECES = /"(?:[^"\\\n]|\\.)*"?|[{}[\]:,]|[^\s"{}[\]:,]+/g;

const isWhole = (piece) => piece.length > 1 && piece.startsWith('"') && piece.endsWith('"');
const isMark = (piece) => "{}[]:,".includes(piece);
const bare = (piece) => piece.replace(/^"|"$/g, "");

/** The names around the cursor, whether a name or a value is to come, the word that the
    cursor is in with the places where it begins and ends, and the names that the
    object has besides. Nothing where neither can come. Where a comma is missing, `lead`
    has it. */
function placeOf(text, cursor) {
  const before = text.slice(0, cursor);
  const stack = [{ next: "value" }];
  let word = "";
  for (const { 0: piece, index } of before.matchAll(PIECES)) {
    const frame = stack.at(-1);
    const isLast = index + piece.length === cursor;
    if (isLast && !isMark(piece) && !isWhole(piece)) word = piece;
    else if (piece === "{" || piece === "[") stack.push({ open: piece, next: piece === "{" ? "name" : "value", names: [] });
    else if (piece === "}" || piece === "]") {
      if (stack.length > 1) stack.pop();
      stack.at(-1).next = "comma";
    } else if (piece === ":") frame.next = "value";
    else if (piece === ",") frame.next = frame.open === "{" ? "name" : "value";
    else if (frame.next === "name") {
      frame.name = bare(piece);
      frame.names.push(frame.name);
      frame.next = "colon";
    } else frame.next = "comma";
  }
  const { open, name, names, next } = stack.at(-1);
  const isValue = next === "value";
  if (open === undefined || next === "colon" || (next === "comma" && open === "[")) return undefined;
  const path = stack.slice(1, -1).map((outer) => (outer.open === "{" ? outer.name : undefined));
  if (isValue) path.push(open === "{" ? name : undefined);
  let [begin, lead] = [cursor - word.length, ""];
  if (next === "comma") {
    const space = /\s*$/.exec(before.slice(0, begin))[0];
    begin -= space.length;
    lead = `,${space || " "}`;
  }
  // To the end of the word; of a value that has not been touched, to its end.
  const rest = !word && isValue ? /^(?:"(?:[^"\\\n]|\\.)*"|[\w.-]+)?/ : word.startsWith('"') ? /^[\w./$-]*"?/ : /^[\w./$-]*/;
  const end = cursor + (lead && !word ? 0 : rest.exec(text.slice(cursor))[0].length);
  return { path, isValue, word, begin, end, lead, names: [...names, ...namesFrom(text.slice(end))] };
}

/** The names that come in the same object behind the cursor. */
function namesFrom(rest) {
  const names = [];
  let [depth, before] = [0, ""];
  for (const [piece] of rest.matchAll(PIECES)) {
    if ("{[".includes(piece)) depth += 1;
    else if ("}]".includes(piece)) depth -= 1;
    else if (piece === ":" && depth === 0) names.push(bare(before));
    if (depth < 0) break;
    before = piece;
  }
  return names;
}

/** The schemas of which a value has one or all, without references and choices. */
function kinds(root, schema) {
  if (typeof schema !== "object") return [];
  if (schema.$ref) return kinds(root, schema.$ref.slice(2).split("/").reduce((at, name) => at?.[name], root));
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  return [schema, ...(parts ?? []).flatMap((part) => kinds(root, part))];
}

/** The schemas of what stands at a path of a change. */
function kindsAt(root, path) {
  return path.reduce(
    (found, name) => found.flatMap((kind) => kinds(root, name === undefined ? kind.items : (kind.properties?.[name] ?? kind.additionalProperties))),
    kinds(root, root.$defs.Change),
  );
}

/** The first sentence of what is written about a field. */
function sentence(root, schema) {
  const text = [schema, ...kinds(root, schema)].map((kind) => kind.description).find(Boolean) ?? "";
  return text.replaceAll("\n", " ").replace(/\. .*/, ".");
}

/** What can stand at a place, each with a text to put there, where the cursor is then,
    and what is written about it. */
function offers(root, { path, isValue, names }) {
  if (isValue) {
    const values = kindsAt(root, path).flatMap((kind) => kind.enum ?? (kind.type === "boolean" ? [true, false] : "const" in kind ? [kind.const] : []));
    return [...new Set(values)].map((value) => ({ name: String(value), text: JSON.stringify(value), about: "" }));
  }
  // A change of now has no time; an entry of a timeline has.
  const fields = new Map(path.length === 0 ? [["at", false]] : []);
  for (const kind of kindsAt(root, path)) {
    for (const [name, field] of Object.entries(kind.properties ?? {})) {
      // What one of several schemas forbids, all of them do.
      if (field === false || fields.get(name) === false) fields.set(name, false);
      else fields.set(name, field);
    }
  }
  return [...fields].filter(([name, field]) => field && !names.includes(name)).map(([name, field]) => {
    const value = beginning(root, field);
    return { name, text: `${JSON.stringify(name)}: ${value}`, within: value.length / 2, about: sentence(root, field) };
  });
}

/** How a value begins and ends: the cursor goes between. */
function beginning(root, field) {
  const all = kinds(root, field);
  const first = all.find((kind) => kind.type || kind.enum);
  if (first?.type === "object") return "{}";
  if (first?.type === "array") return kinds(root, first.items).some((kind) => kind.properties) ? "[{}]" : "[]";
  return first?.type === "string" && !first.enum ? '""' : "";
}
