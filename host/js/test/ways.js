// The ways into the service: a call, and a socket of `serve`. Each gives the
// bytes of an answer; none where the connection is closed instead.
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import { Imds } from "imds-component";
import { parse } from "smol-toml";

/** What every way of the repository has: tokens that can be compared, and signatures of no key. */
function open(toml, clock) {
  const sign = ({ signingTime }) => {
    const signed = String(signingTime.getTime()).repeat(16);
    return { signature: signed, pkcs7: signed, rsa2048: signed };
  };
  return new Imds(parse(toml), { clock, tokenSecret: new Uint8Array(32).fill(7), sign });
}

export const ways = {
  "in process": async (toml, clock) => {
    const imds = open(toml, clock);
    const answer = async (head) => {
      const { head: answered, body, delivery } = imds.answer(head);
      return delivery?.kind === "closed" ? Buffer.alloc(0) : Buffer.concat([answered, body]);
    };
    return { answer, close: () => imds.close() };
  },
  "over a socket": async (toml, clock) => {
    const imds = open(toml, clock);
    const { port } = await imds.serve();
    return { answer: (head) => send(port, head), close: () => imds.close() };
  },
};

/** Sends bytes, and gives all that comes until the server closes. */
export async function send(port, ...pieces) {
  const socket = connect(port, "127.0.0.1");
  for (const piece of pieces) socket.write(piece);
  return buffer(socket);
}
