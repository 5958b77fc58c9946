// Case files: `tests/README.md` of the repository says what each line means.
import { readFileSync, readdirSync } from "node:fs";

const TESTS = new URL("../../../tests/", import.meta.url);
const read = (file) => readFileSync(new URL(file, TESTS), "utf8");

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const ESCAPES = { t: "\t", n: "\n", r: "\r", "\\": "\\" };

/** All cases, by the names of their files. */
export const cases = readdirSync(new URL("cases/", TESTS)).filter((file) => file.endsWith(".http")).sort()
  .map((file) => parse(file.slice(0, -".http".length), read(`cases/${file}`)));

/** Throws for a line that means nothing: what is not understood is not left out. */
export function parse(name, text) {
  const lines = text.split(/\r?\n/);
  const told = { name, rule: lines[0].replace(/^[# ]+/, ""), toml: "", steps: [] };
  let included = "";
  for (const [index, line] of lines.entries()) {
    const place = `tests/cases/${name}.http:${index + 1}`;
    const last = told.steps.at(-1);
    const exchange = last?.is === "exchange" ? last : undefined;
    const field = exchange && !exchange.expected.status && /^([^ ]+?): (.*)$/.exec(line);
    const nothing = () => new Error(`${place}: what is this: ${line}`);
    if (line.startsWith("#") || !line.trim()) continue;
    if (line.startsWith("= include ")) {
      included = read(line.slice("= include ".length));
    } else if (line.startsWith("= ")) {
      let described = told.steps.length ? last : told;
      if (exchange || last?.is === "time") told.steps.push((described = { is: "description", toml: "" }));
      described.toml += `${line.slice(2)}\n`;
    } else if (line.startsWith("@ ")) {
      told.steps.push({ is: "time", ...timeOf(line.slice(2)) });
    } else if (line.startsWith("<")) {
      if (!exchange) throw nothing();
      expect(exchange.expected, line, nothing);
    } else if (line.startsWith("* ")) {
      if (!exchange) throw nothing();
      exchange.times = Number(line.slice(2));
    } else if (line.startsWith("> ")) {
      if (!exchange) throw nothing();
      const [kept, around] = line.slice(2).split(" from ");
      exchange.keeps.push({ name: kept, around });
    } else if (field) {
      exchange.fields.push([field[1], field[2]]);
    } else if (line.includes(" ")) {
      const space = line.indexOf(" ");
      told.steps.push({
        is: "exchange", place, method: line.slice(0, space), target: line.slice(space + 1), fields: [], times: 1, keeps: [],
        expected: { fields: [], absent: [], contains: [], lacks: [] },
      });
    } else if (exchange && line.endsWith(":")) {
      exchange.fields.push([line.slice(0, -1), ""]);
    } else {
      throw nothing();
    }
  }
  told.toml += included;
  const open = told.steps.find(({ is, expected }) => is === "exchange" && !expected.status);
  if (open) throw new Error(`${open.place}: a request without an expected status`);
  return told;
}

function timeOf(text) {
  if (!text.startsWith("+")) {
    const at = Date.parse(text);
    if (Number.isNaN(at)) throw new Error(`no time: ${text}`);
    return { at };
  }
  if (!/^\+( ?\d+(ms|s|m|h))+$/.test(text)) throw new Error(`no time: ${text}`);
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h)/g)];
  return { by: parts.reduce((sum, [, count, unit]) => sum + count * UNITS[unit], 0) };
}

function expect(expected, line, nothing) {
  const behind = (prefix) => line.slice(prefix.length).replace(/^ /, "");
  if (line.startsWith("<<")) {
    const more = unescape(behind("<<"));
    expected.body = expected.body ? Buffer.concat([expected.body, Buffer.from("\n"), more]) : more;
  } else if (line.startsWith("<*")) {
    expected.pattern = expected.pattern === undefined ? behind("<*") : `${expected.pattern}\n${behind("<*")}`;
  } else if (line.startsWith("<~ ")) {
    expected.contains.push(unescape(behind("<~")));
  } else if (line.startsWith("<! ")) {
    expected.lacks.push(behind("<!"));
  } else if (line.startsWith("<# ")) {
    const [length, digest] = behind("<#").trim().split(/\s+/);
    Object.assign(expected, { length: Number(length), digest });
  } else if (line.startsWith("< ! ")) {
    expected.absent.push(behind("< !"));
  } else if (line === "< closed" && !expected.status) {
    Object.assign(expected, { status: -1, isClosed: true });
  } else if (line.startsWith("< ") && expected.status) {
    const [name, value] = line.slice(2).split(/: (.*)/);
    expected.fields.push([name, value]);
  } else if (line.startsWith("< ")) {
    const status = /^< (HTTP\/1\.1 )?(\d{3})(?: (.*))?$/.exec(line);
    if (!status) throw nothing();
    Object.assign(expected, { isWholeHead: status[1] !== undefined, status: Number(status[2]), reason: status[3] });
  } else {
    throw nothing();
  }
}

/** `\t`, `\n`, `\r`, `\\` and `\xHH` as bytes. */
export function unescape(text) {
  const bytes = Buffer.from(text).toString("latin1");
  return Buffer.from(bytes.replace(/\\(?:x([0-9a-fA-F]{2})|([tnr\\]))/g, (_, hex, letter) =>
    (hex ? String.fromCharCode(parseInt(hex, 16)) : ESCAPES[letter])), "latin1");
}
