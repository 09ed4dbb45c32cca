/** The library under test, by the one path through which the interop tests reach it. */
export { Pair } from "../../src/index.js";
