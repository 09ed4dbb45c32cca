/**
 * The root for `import`: its names, and all of them together as `default`, as npm zeromq's are there
 * for ES modules.
 *
 * @module
 */

export * from "../index.js";
export * as default from "../index.js";
