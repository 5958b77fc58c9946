// Heads between the forms that programs have them in and bytes. Characters are
// bytes, as on the wire, so that any bytes get through.

const latin1 = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The bytes of a request's head: as given, or written of its parts. */
export function headOf(request) {
  if (typeof request === "string") return latin1(request);
  if (request instanceof Uint8Array) return request;
  const { method = "GET", path, headers = {} } = request;
  const given = typeof headers[Symbol.iterator] === "function" ? [...headers] : Object.entries(headers);
  // HTTP/1.1 demands it of every client, and so nobody wants to write it.
  const named = given.some(([name]) => name.toLowerCase() === "host");
  const fields = named ? given : [["Host", "169.254.169.254"], ...given];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return latin1(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`);
}

/** The reason phrase and the fields of an answer's head. */
export function partsOf(head) {
  const [status, ...lines] = new TextDecoder("latin1").decode(head).trimEnd().split("\r\n");
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
  });
  return { reason: status.split(" ").slice(2).join(" "), headers: Object.fromEntries(fields) };
}
