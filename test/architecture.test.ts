import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/** What CURVE takes its ciphers from. */
const PACKAGE = "libsodium-wrappers";

interface Import {
  /** A file of `src` without its extension, or what is imported from outside. */
  to: string;
  /** Erased by the compiler. */
  typeOnly: boolean;
  reexport: boolean;
  /** By `import()`, not with the module. */
  later: boolean;
}

interface Module {
  name: string;
  imports: Import[];
  defaultExport: boolean;
}

/** What programs import. */
const FACES = [
  ...["index", "draft", "v5-compat"],
  ...["module/index", "module/draft", "module/v5-compat"],
];

/** The files that data flows through, from the wire to the socket. Each knows those before it. */
const ROUTING = [
  ...["queue", "loop", "pool", "lane", "pipe", "depth", "ring", "fq", "lb", "dist", "routes"],
  ...["arrivals", "renewal", "topic", "name-set", "trie", "subscriptions", "groups"],
].map((name) => `socket/${name}`);

const PATTERNS = [
  ...["pair", "pub", "sub", "xpub", "xsub", "req", "rep", "dealer", "router", "push", "pull"],
  ...["stream", "client", "server", "radio", "dish", "scatter", "gather", "peer", "channel"],
  ...["single", "datagram"],
].map((name) => `socket/${name}`);

const BASE = [
  ...["errors", "message", "options", "option-values", "accept-filter", "events", "shared", "z85"],
  ...["builtin", "curve-key-pair", "place", "random", "transfer"],
];

type Layer = "base" | "zmtp" | "transport" | "routing" | "socket" | "pattern" | "compat" | "index";

/** Who may import whom. */
const ALLOWED: Record<Layer, (from: string, to: string) => boolean> = {
  base: (_, to) => layerOf(to) === "base",
  zmtp: (_, to) => layerOf(to) === "zmtp",
  transport: (_, to) => ["transport", "zmtp", "base"].includes(layerOf(to)),
  routing: (from, to) => layerOf(to) === "base" || ROUTING.indexOf(to) < ROUTING.indexOf(from),
  socket: (_, to) => ["socket", "routing", "transport", "zmtp", "base"].includes(layerOf(to)),
  pattern: (_, to) =>
    ["routing", "base", "pattern"].includes(layerOf(to)) ||
    to === "socket/socket" ||
    to === "socket/arguments" ||
    to === "socket/option-types" ||
    to === "socket/pattern",
  compat: (_, to) => layerOf(to) === "compat" || to === "index",
  index: () => true,
};

/** What goes against the table, and why. */
const EXCEPTIONS: Record<string, string> = {
  "events -> zmtp/index": "the type of the error that an event carries",
  "socket/wiring -> zmtp/index": "puts the parts of a connection together",
  "socket/policy -> zmtp/index": "makes the mechanism of a connection",
  "socket/udp -> zmtp/index": "a datagram is a message, and has no connection to make one of",
  "socket/zap -> zmtp/index": "a handler's metadata is encoded as a peer's",
  "socket/context-core -> zmtp/index": "holds the budget that all its sockets share",
};

const modules = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => read(file.replaceAll("\\", "/")));

describe("the import table", () => {
  it.each(modules.map((module) => [module.name, module] as const))("%s", (name, { imports }) => {
    const forbidden = imports
      .filter(({ to }) => !mayImport(name, to))
      .map(({ to }) => `${name} -> ${to}`)
      .filter((line) => !(line in EXCEPTIONS));
    expect(forbidden).toEqual([]);
  });

  it("socket knows types and constants of zmtp, but for the exceptions", () => {
    const values = modules
      .filter(({ name }) => layerOf(name) === "socket")
      .flatMap(({ name, imports }) => imports.map((one) => ({ name, ...one })))
      .filter(({ to, typeOnly }) => to.startsWith("zmtp/") && !typeOnly)
      .map(({ name, to }) => `${name} -> ${to}`);
    expect(values.filter((line) => !(line in EXCEPTIONS))).toEqual([]);
  });

  it("has no exception that nobody needs", () => {
    const all = modules.flatMap(({ name, imports }) => imports.map(({ to }) => `${name} -> ${to}`));
    expect(Object.keys(EXCEPTIONS).filter((line) => !all.includes(line))).toEqual([]);
  });

  it("zmtp is used through its entry point", () => {
    const inner = modules
      .filter(({ name }) => layerOf(name) !== "zmtp")
      .flatMap(({ imports }) => imports)
      .filter(({ to }) => to.startsWith("zmtp/") && to !== "zmtp/index");
    expect(inner).toEqual([]);
  });

  it("the faces of the package are imported by nobody, but for the root by what stands before it", () => {
    const faced = modules.filter(({ imports }) => imports.some(({ to }) => FACES.includes(to)));
    const before = faced.filter(({ name }) => layerOf(name) === "compat" || FACES.includes(name));
    expect(faced).toEqual(before);
  });
});

it("there are no cycles in what runs", () => {
  const graph = new Map(
    modules.map(({ name, imports }) => [
      name,
      imports.filter(({ typeOnly }) => !typeOnly).map(({ to }) => to),
    ]),
  );
  const done = new Set<string>();
  const visit = (name: string, path: string[]): void => {
    expect(path.includes(name) ? [...path, name].join(" -> ") : "no cycle").toBe("no cycle");
    if (done.has(name)) return;
    for (const to of graph.get(name) ?? []) visit(to, [...path, name]);
    done.add(name);
  };
  for (const { name } of modules) visit(name, []);
});

it("there are no default exports inside", () => {
  const names = modules.filter(({ defaultExport }) => defaultExport).map(({ name }) => name);
  expect(names.filter((name) => !FACES.includes(name))).toEqual([]);
});

it("only entry points pass names on", () => {
  const barrels = modules.filter(({ imports }) => imports.some(({ reexport }) => reexport));
  expect(barrels.map(({ name }) => name).sort()).toEqual([...FACES, "zmtp/index"].sort());
});

it("one package is imported, by one file and when it is asked for; Node's modules by their full names", () => {
  const names = new Set(modules.map(({ name }) => name));
  const outside = modules.flatMap(({ name, imports }) =>
    imports
      .filter(({ to }) => !names.has(to) && !to.startsWith("node:"))
      .map((one) => ({ name, ...one })),
  );
  expect(outside).toEqual([
    { name: "socket/sodium", to: PACKAGE, typeOnly: false, reexport: false, later: true },
  ]);
});

function mayImport(from: string, to: string): boolean {
  if (to === PACKAGE) return layerOf(from) === "socket";
  if (to.startsWith("node:")) return layerOf(from) !== "zmtp";
  return ALLOWED[layerOf(from)](from, to);
}

function layerOf(name: string): Layer {
  if (FACES.includes(name)) return "index";
  if (name.startsWith("compat/")) return "compat";
  if (BASE.includes(name)) return "base";
  if (name.startsWith("zmtp/")) return "zmtp";
  if (name.startsWith("transport/")) return "transport";
  if (ROUTING.includes(name)) return "routing";
  if (PATTERNS.includes(name)) return "pattern";
  if (name.startsWith("socket/")) return "socket";
  throw new Error(`${name} has no place in the table`);
}

function read(file: string): Module {
  const name = file.replace(/\.ts$/, "");
  const source = ts.createSourceFile(
    file,
    readFileSync(join(SRC, file), "utf8"),
    ts.ScriptTarget.ES2022,
  );
  const module: Module = { name, imports: [], defaultExport: false };
  const visit = (node: ts.Node): void => {
    const to = targetOf(node, name);
    if (to !== undefined) {
      const reexport = ts.isExportDeclaration(node);
      const later = ts.isCallExpression(node);
      module.imports.push({ to, typeOnly: isTypeOnly(node), reexport, later });
    }
    if (ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword) {
      module.defaultExport = true;
    }
    if (ts.isExportSpecifier(node) && node.name.text === "default") module.defaultExport = true;
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return module;
}

/** What an import, a re-export, or a call of `import()` names. */
function targetOf(node: ts.Node, from: string): string | undefined {
  let specifier: ts.Expression | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node))
    specifier = node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    specifier = node.arguments[0];
  }
  if (specifier === undefined || !ts.isStringLiteral(specifier)) return undefined;
  if (!specifier.text.startsWith(".")) return specifier.text;
  return posix.join(posix.dirname(from), specifier.text).replace(/\.js$/, "");
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) {
    return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  }
  return ts.isExportDeclaration(node) && node.isTypeOnly;
}
