/** The library under test, by the one path through which the interop tests reach it. */
export { Context, context, Observer, Pair } from "../../src/index.js";
