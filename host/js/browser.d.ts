import type { Imds as WithSockets } from "./index.js";

export type {
  Answer, AnswerOptions, Asked, Delivery, Description, Explanation, Fields, HeaderFields, IdentityDocument, Options,
  Outcome, Problem, Request, RequestBody, RequestParts, SessionVersion, Signatures, Status, Warning,
} from "./index.js";
export { ImdsError } from "./index.js";

/** The EC2 instance metadata service in a page: all but sockets. */
export type Imds = Omit<WithSockets, "serve">;
export const Imds: new (...of: ConstructorParameters<typeof WithSockets>) => Imds;
