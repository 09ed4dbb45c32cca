/**
 * Messages of the Jupyter protocol 5.3: what is said in five parts of JSON behind a delimiter, the
 * first of them a signature of the other four.
 */
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

const DELIMITER = "<IDS|MSG>";

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

export interface JupyterMessage {
  header: Header;
  /** The header of the message that this one answers; empty when there is none. */
  parent: Partial<Header>;
  content: Record<string, unknown>;
}

/** Makes and reads the messages of one session, signed with the kernel's key. */
export class Session {
  readonly id: string = randomUUID();
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  /** A message of this type, ready to be sent, and its id. */
  encode(type: string, content: object): { id: string; parts: string[] } {
    const header: Header = {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.id,
      username: "purezmq",
      date: new Date().toISOString(),
      version: "5.3",
    };
    const signed = [header, {}, {}, content].map((part) => JSON.stringify(part));
    return { id: header.msg_id, parts: [DELIMITER, this.#sign(signed), ...signed] };
  }

  /** @throws Error when it is no message, or the signature is not its own. */
  decode(parts: Buffer[]): JupyterMessage {
    const start = parts.findIndex((part) => part.equals(Buffer.from(DELIMITER)));
    const [signature, ...signed] = parts.slice(start + 1, start + 6);
    if (start < 0 || signature === undefined || signed.length < 4) throw new Error("no message");
    const expected = Buffer.from(this.#sign(signed));
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new Error("wrong signature");
    }
    const [header, parent, , content] = signed.map((part) => JSON.parse(String(part)));
    return { header, parent, content };
  }

  #sign(parts: (string | Buffer)[]): string {
    const hmac = createHmac("sha256", this.#key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }
}
