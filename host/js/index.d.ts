/// <reference lib="esnext.disposable" />

/** The EC2 instance metadata service in this process. */
export class Imds {
  /**
   * Reads a description: an object, or JSON text. `{}` is a complete instance, since every field has a default;
   * {@link Imds.schema} has all fields.
   *
   * @throws {ImdsError} with all problems found, if it describes no instance.
   * @throws {TypeError} for an option of another name or type.
   */
  constructor(description?: Description | string, options?: Options);

  /**
   * Answers one request, without a socket.
   *
   * @throws {WebAssembly.RuntimeError} where the component traps. That costs this call; the next one is answered by a
   * new instance of the component.
   */
  answer(request: Request, options?: AnswerOptions): Answer;

  /**
   * Serves over TCP until the server or this `Imds` is closed.
   *
   * Node cannot set the hop limit of a connection, so `http-put-response-hop-limit` is told by {@link Answer.hopLimit}
   * and not applied.
   */
  serve(options?: ServeOptions): Promise<Server>;

  /**
   * Changes the instance now, by EC2's rules: fields of a description, merged as RFC 7396 says, and `operation` for
   * what an operator does: `"stop"`, `"start"`, `"reboot"`, `"terminate"`, `"rebalance"` or `{interrupt: {…}}`.
   *
   * @throws {ImdsError} with all problems found; nothing is changed then.
   */
  edit(change: Description | string): void;

  /**
   * Moves the time on, by milliseconds or a text such as `"1m30s"` (`ms`, `s`, `m`, `h`, `d`).
   *
   * @throws {RangeError} for anything else, and for a time that no `Date` can hold; the clock stays then.
   */
  advance(duration: number | string): void;

  /** What an outcome means, and what to do about it. */
  explain(outcome: Outcome): Explanation;

  /** The last 1000 requests, the oldest first, without queries, tokens and keys. */
  readonly requests: readonly Asked[];

  /** The time by this instance's clock. */
  readonly now: Date;

  /** The description in force: as given, or as of the last edit. */
  readonly description: Description;

  /** What the instance is now. */
  readonly status: Status;

  /** What the description says that can be served and cannot be real. */
  readonly warnings: readonly Warning[];

  /** The JSON Schema (draft 2020-12) of a description. */
  readonly schema: Record<string, unknown>;

  /** Closes all servers. Nothing can be asked then. */
  close(): Promise<void>;

  /** `await using imds = new Imds()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is wrong with a description or a change. */
export class ImdsError extends Error {
  readonly problems: readonly Problem[];
}

/** Fields of a description, in the words of EC2's API: `{"instance-type": "m7g.large"}`. */
export type Description = { readonly [field: string]: unknown };

export interface Options {
  /**
   * The clock, in milliseconds since the Unix epoch or as a `Date`: a function, or a time at which it stands until
   * {@link Imds.advance} moves it. Default `Date.now`.
   */
  clock?: (() => number | Date) | number | Date;
  /**
   * What session tokens are sealed with, at least 16 bytes: instances with the same secret and id take each other's
   * tokens. Default: 32 random bytes.
   */
  tokenSecret?: Uint8Array;
  /** Names that clients may use in `Host` besides addresses and local names; `*` allows all. Default none. */
  allowedHosts?: string[];
  /**
   * Signs identity documents, and gives the signatures at once. Without it, only the signatures of the description are
   * served.
   */
  sign?: (document: IdentityDocument) => Signatures;
}

/** The document at `dynamic/instance-identity/document`, to be signed. */
export interface IdentityDocument {
  text: string;
  /** The signing time that the signatures tell. */
  signingTime: Date;
}

/** Signatures of an identity document, each in Base64 without line ends. */
export interface Signatures {
  /** RSA with SHA-256 over the document. */
  signature: string;
  /** A CMS message with a DSA signature. */
  pkcs7: string;
  /** A CMS message with an RSA-2048 signature. */
  rsa2048: string;
}

/** A request: its parts, or its whole head as it comes on a connection, up to its empty line. */
export type Request = RequestParts | string | Uint8Array;

export interface RequestParts {
  /** Default `GET`. */
  method?: string;
  /** The path, with a query if there is one: `/latest/meta-data/`. */
  path: string;
  /**
   * Fields by name, or pairs; a name may have several values, and `undefined` or `null` leaves it out. Without `Host`,
   * it is `169.254.169.254`.
   */
  headers?: HeaderFields | Iterable<readonly [string, string]>;
}

export interface HeaderFields {
  readonly [name: string]: string | number | readonly string[] | null | undefined;
}

export interface AnswerOptions {
  /** Whether the connection could stay open for another request. Default `false`: EC2 closes. */
  keepAlive?: boolean;
  /** Whether the request came over IPv6. Default `false`. */
  overIpv6?: boolean;
}

/** An answer as it goes onto the wire, and why it is what it is. */
export interface Answer {
  /** The status code. */
  readonly status: number;
  /** The reason phrase. */
  readonly reason: string;
  /** The header fields. Names as EC2 spells them, in its order, are in `head`. */
  readonly headers: Fields;
  /** The body as text. */
  readonly text: string;
  /** The body. */
  readonly body: Uint8Array;
  /** The whole head: status line, fields, empty line. */
  readonly head: Uint8Array;
  /** The check that decided. */
  readonly outcome: Outcome;
  /** IMDSv1 or IMDSv2; none where the request was refused before that was looked at. */
  readonly sessionVersion: SessionVersion | undefined;
  /** The time-to-live that the packets of the answer must have, 1 to 64; only of answers to a request for a token. */
  readonly hopLimit: number | undefined;
  /** How a fault of the description has it delivered; none means whole and at once. */
  readonly delivery: Delivery | undefined;
  /** What follows the head of the request on its connection. */
  readonly requestBody: RequestBody;
  /** Whether the connection may stay open. */
  readonly keepAlive: boolean;
}

/** `Headers`, where the types of a browser or of Node are there; else the least of it. */
export type Fields = typeof globalThis extends { Headers: { prototype: infer Found } }
  ? Found
  : { get(name: string): string | null; has(name: string): boolean };

export interface Delivery {
  /**
   * `delayed`: sent after `ms`. `closed`: the connection is closed instead. `cut`: the body is shorter than its head
   * says. `withheld`: nothing is sent until the client gives up.
   */
  readonly kind: "delayed" | "closed" | "cut" | "withheld";
  /** Milliseconds of a delay. */
  readonly ms: number | undefined;
}

export interface RequestBody {
  readonly kind: "none" | "length" | "chunked" | "unknown";
  /** How many bytes, where there is a length. */
  readonly bytes: number | undefined;
}

/** Which version of the service a client used: without a token, or with one. */
export type SessionVersion = "one" | "two";

/** Why an answer is what it is; {@link Imds.explain} has it in sentences. */
export type Outcome =
  | "not-running" | "head-unreadable" | "head-too-large" | "no-instance" | "fault-refused" | "throttled" | "found"
  | "token-issued" | "methods-listed" | "host-refused" | "endpoint-disabled" | "ipv6-disabled" | "token-method-refused"
  | "forwarded" | "ttl-refused" | "token-missing" | "token-invalid" | "token-expired" | "method-refused" | "not-found"
  | "signatures-wanted"
  | "credentials-id-missing"
  | "credentials-id-unknown"
  | "credentials-not-delivered"
  | "authorization-missing"
  | "authorization-invalid";

export interface Explanation {
  /** The rule that decided, in half a sentence. */
  readonly reason: string;
  /** What a client or an operator does about it. */
  readonly remedy: string;
}

/** A request that was answered. */
export interface Asked {
  /** When, by the clock of the instance. */
  readonly at: Date;
  readonly method: string;
  /** The target as far as it may be shown: `…` stands for a query or a secret. */
  readonly path: string;
  readonly status: number;
  readonly outcome: Outcome;
  readonly sessionVersion: SessionVersion | undefined;
}

export interface ServeOptions {
  /** Default: a free one. */
  port?: number;
  /** The address to listen on. Default `127.0.0.1`: whoever reaches it can read everything. */
  host?: string;
  /** Whether connections stay open for another request. Default `false`, as EC2. */
  keepAlive?: boolean;
}

export interface Server {
  /** `http://127.0.0.1:` and the port. */
  readonly url: string;
  readonly port: number;
  /** What leads SDKs there: for `process.env`, or for the environment of a command. */
  readonly env: { readonly AWS_EC2_METADATA_SERVICE_ENDPOINT: string };
  /** Closes the listener and all connections. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What an instance is at a moment. */
export interface Status {
  readonly instanceId: string;
  readonly state: "running" | "stopped" | "terminated";
  readonly lifecycle: "on-demand" | "spot" | "scheduled" | "capacity-block";
  /** All options, those with their default too. */
  readonly metadataOptions: {
    readonly httpEndpoint: "enabled" | "disabled";
    readonly httpProtocolIpv6: "enabled" | "disabled";
    readonly httpPutResponseHopLimit: number;
    readonly httpTokens: "optional" | "required";
    readonly instanceMetadataTags: "enabled" | "disabled";
  };
  /** The identity document. */
  readonly identityDocument: string;
  /** What happens to it, in the order of time. */
  readonly happenings: readonly { readonly at: Date; readonly what: string }[];
  /** Its description from now on. */
  readonly description: Description;
}

/** One thing that is wrong. */
export interface Problem {
  /** The field concerned, as a JSON Pointer; empty for the document as a whole. */
  readonly field: string;
  /** Whether the field's name is what is wrong. */
  readonly inName: boolean;
  readonly message: string;
  /** What to write instead, where that is known. */
  readonly help: string | undefined;
  /** Where in the text, from 1, if it is not JSON at all. */
  readonly position: { readonly line: number; readonly column: number } | undefined;
}

/** Something that can be served and cannot be real. */
export interface Warning {
  /** The name of the rule: `unknown-instance-type`. */
  readonly name: string;
  readonly field: string;
  readonly message: string;
  readonly help: string | undefined;
}
