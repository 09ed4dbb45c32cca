import { errnoError } from "../errors.js";

/** Sends and receives UDP datagrams in npm zeromq. Here there is no `udp://`, and only its name. */
export class Datagram {
  /** @throws ENOTSUP always. */
  constructor(_options?: object) {
    throw errnoError("ENOTSUP", undefined, "Operation not supported: udp is not built");
  }
}
