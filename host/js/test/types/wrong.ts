// What the types refuse: without one of these errors the check fails.
import { Imds } from "imds-component";

export function wrong(imds: Imds): void {
  // @ts-expect-error: a duration is a number or a text
  imds.advance(true);
  // @ts-expect-error: what was asked is read only
  imds.requests.pop();
  // @ts-expect-error: no such outcome
  imds.explain("fine");
  // @ts-expect-error: an answer tells no 64-bit integer
  imds.answer({ path: "/" }).requestBody.bytes satisfies bigint;
  // @ts-expect-error: no such option
  new Imds({}, { clok: Date.now });
}
