/**
 * `purezmq/v5-compat` for `import`, with a default: see the root's.
 *
 * @module
 */

export * from "../v5-compat.js";
export * as default from "../v5-compat.js";
