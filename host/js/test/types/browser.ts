// What a page may write.
import { Imds } from "imds-component";

export const imds: Imds = new Imds({});
export const text: string = imds.answer("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").text;
// @ts-expect-error: there are no sockets
imds.serve();
