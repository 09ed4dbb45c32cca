/**
 * `purezmq/draft` for `import`, with a default: see the root's.
 *
 * @module
 */

export * from "../draft.js";
export * as default from "../draft.js";
