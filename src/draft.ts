/// <reference types="node" preserve="true" />

/**
 * The draft socket types of libzmq: those of npm zeromq's `zeromq/draft`, and Peer and Channel, which it
 * does not have. Their messages have one part.
 *
 * @module
 */

export type { MessageWith } from "./message.js";
export { Channel } from "./socket/channel.js";
export { Client } from "./socket/client.js";
export { Datagram } from "./socket/datagram.js";
export { Dish, type DishGroupOptions } from "./socket/dish.js";
export { Gather } from "./socket/gather.js";
export { Peer } from "./socket/peer.js";
export { Radio, type RadioGroupOptions } from "./socket/radio.js";
export { Scatter } from "./socket/scatter.js";
export { Server, type ServerRoutingOptions } from "./socket/server.js";
