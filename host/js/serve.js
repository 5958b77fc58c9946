// Connections: a head in, an answer out, as the component says how.
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const HEAD_BYTES = 16 * 1024;
const BODY_BYTES = 1024 * 1024;
const IDLE_MS = 30_000;

/** Serves `imds` until the result is closed. */
export async function listen(imds, { port = 0, host = "127.0.0.1", keepAlive = false } = {}) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    converse(imds, socket, keepAlive).catch(() => socket.destroy());
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address();
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
  const close = () => new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
  return { url, port: bound, close, [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]: close };
}

async function converse(imds, socket, keepAlive) {
  let rest = Buffer.alloc(0);
  const chunks = socket[Symbol.asyncIterator]();
  const more = async () => {
    const { value, done } = await chunks.next();
    if (!done) rest = Buffer.concat([rest, value]);
    return !done;
  };
  const overIpv6 = socket.remoteFamily === "IPv6" && !socket.remoteAddress.startsWith("::ffff:");
  for (;;) {
    let end;
    while ((end = endOfHead(rest)) < 0 && rest.length < HEAD_BYTES) {
      if (!(await more())) return socket.destroy();
    }
    if (end < 0 || end > HEAD_BYTES) end = HEAD_BYTES;
    const answer = imds.answer(new Uint8Array(rest.subarray(0, end)), { keepAlive, overIpv6 });
    rest = rest.subarray(end);
    const { kind, bytes } = answer.requestBody;
    // A body that is longer, or ends nobody knows where, ends the connection.
    const drained = kind === "none" || (kind === "length" && bytes <= BODY_BYTES);
    if (kind === "length" && drained) {
      while (rest.length < bytes) if (!(await more())) return socket.destroy();
      rest = rest.subarray(bytes);
    }
    if (answer.delivery?.kind === "closed") return socket.destroy();
    if (answer.delivery?.kind === "withheld") return;
    if (answer.delivery?.kind === "delayed") await sleep(answer.delivery.ms);
    socket.write(Buffer.concat([answer.head, answer.body]));
    if (!answer.keepAlive || !drained) return socket.end();
  }
}

/** Where the bytes behind the first empty line begin; empty lines before the request count for nothing. */
function endOfHead(bytes) {
  let start = 0;
  while (bytes[start] === 13 || bytes[start] === 10) start += 1;
  for (let at = bytes.indexOf(10, start); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return -1;
}
