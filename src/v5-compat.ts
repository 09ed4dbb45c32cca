/// <reference types="node" preserve="true" />

/**
 * The callback API of zeromq.js 5, as npm zeromq's `zeromq/v5-compat` has it: a thin layer over the
 * sockets of the root.
 *
 * @module
 */

export * from "./compat/constants.js";
export { Context } from "./compat/context.js";
export { curveKeypair } from "./compat/curve.js";
export * from "./compat/long-options.js";
export { shortOptions as options } from "./compat/options.js";
export { proxy } from "./compat/proxy.js";
export type { SocketType } from "./compat/socket-types.js";
export {
  createSocket,
  createSocket as socket,
  Socket,
  type SocketConstructor,
} from "./compat/sockets.js";
export { version } from "./index.js";
