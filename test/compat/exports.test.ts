import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import ts from "typescript";
import { expect, it } from "vitest";
import * as zmq from "../../src/v5-compat.js";

const npm = createRequire(import.meta.url)("zeromq/v5-compat") as typeof zmq;

/** What the entry point exports, in its order: a namespace is sorted, and does not tell. */
function exported(): string[] {
  const text = readFileSync(new URL("../../src/v5-compat.ts", import.meta.url), "utf8");
  const names: string[] = [];
  for (const node of ts.createSourceFile("v5-compat.ts", text, ts.ScriptTarget.ES2022).statements) {
    if (!ts.isExportDeclaration(node) || node.isTypeOnly) continue;
    const clause = node.exportClause;
    if (clause === undefined || !ts.isNamedExports(clause)) throw new Error("names no names");
    for (const { name, isTypeOnly } of clause.elements) if (!isTypeOnly) names.push(name.text);
  }
  return names;
}

it("the names stand in npm zeromq's order, which CommonJS keeps", () => {
  expect(exported()).toEqual(Object.keys(npm));
});

it("the short options stand in npm zeromq's order, too", () => {
  expect(Object.entries(zmq.options)).toEqual(Object.entries(npm.options));
});

it("a socket has all that a socket of npm zeromq's layer has, but for its inside", () => {
  const theirs = Object.getOwnPropertyNames(npm.Socket.prototype);
  const missing = theirs.filter((name) => !(name in zmq.Socket.prototype));
  expect(missing).toEqual(["_recv", "_send"]);
  expect([zmq.Socket.name, zmq.Context.name]).toEqual([npm.Socket.name, npm.Context.name]);
});

it("Context has npm zeromq's statics", () => {
  expect(Object.getOwnPropertyNames(zmq.Context)).toEqual(Object.getOwnPropertyNames(npm.Context));
});
