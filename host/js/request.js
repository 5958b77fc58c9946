// A request between the forms that programs have it in and the bytes of its head.

/** Characters as bytes, as on the wire, so that any bytes get through. */
function latin1(text) {
  return Uint8Array.from(text, (character) => {
    const byte = character.codePointAt(0);
    if (byte > 255) throw new RangeError(`a head is made of bytes: ${JSON.stringify(character)} is none`);
    return byte;
  });
}

/** The bytes of a request's head: as given, or written of its parts. */
export function headOf(request) {
  if (typeof request === "string") return latin1(request);
  if (request instanceof Uint8Array) return request;
  const { method = "GET", path, headers = {} } = request;
  if (typeof path !== "string") throw new TypeError("a request has a `path`, or is a head in bytes or text");
  const fields = fieldsOf(headers);
  // HTTP/1.1 demands it of every client, and so nobody wants to write it.
  if (!fields.some(([name]) => name.toLowerCase() === "host")) fields.unshift(["Host", "169.254.169.254"]);
  const lines = [`${method} ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  const broken = lines.find((line) => /[\r\n]/.test(line));
  if (broken) {
    throw new TypeError(`a line end in ${JSON.stringify(broken)}: what is meant to be broken is given as a whole head`);
  }
  return latin1(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Names with values. A name may have several of them, or none: `undefined` and `null` are no value. */
function fieldsOf(headers) {
  const given = typeof headers[Symbol.iterator] === "function" ? [...headers] : Object.entries(headers);
  return given.flatMap(([name, values]) => [values].flat().filter((value) => value !== undefined && value !== null)
    .map((value) => [name, value]));
}

/** The method and the target of a head, or what stands for them in one that is none. */
export function requestLineOf(head) {
  const beginning = new TextDecoder("latin1").decode(head.subarray(0, 4096)).replace(/^[\r\n]+/, "");
  const [method = "", target = ""] = beginning.split(/\r?\n/, 1)[0].split(" ");
  return { method, target };
}
