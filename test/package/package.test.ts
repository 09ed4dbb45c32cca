/** The packed tarball, installed as its users install it, in every way that they load it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const execute = promisify(execFile);
const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));
const jest = require.resolve("jest/bin/jest");
const compilers = {
  5: require.resolve("typescript5/bin/tsc"),
  6: require.resolve("typescript/bin/tsc"),
};
const nodeTypes = dirname(require.resolve("@types/node/package.json"));

/** What is installed beside us, in the order of the alphabet. */
const DEPENDENCIES = ["libsodium", "libsodium-wrappers"];

/** Passes one message from one Pair to another; `Pair` must be in scope. */
const PASS_A_MESSAGE = `
async function passAMessage(address) {
  const one = new Pair();
  const other = new Pair();
  await one.bind(address);
  other.connect(address);
  await other.send(["hello", "world"]);
  const message = await one.receive();
  one.close();
  other.close();
  return message.map(String).join(" ");
}
`;

interface Manifest {
  name: string;
  version: string;
  scripts?: Record<string, string>;
  [key: string]: unknown;
}

interface Packed {
  filename: string;
  size: number;
  files: { path: string }[];
}

let folder: string;
let packed: Packed;
let installed: string;
let projects = 0;

beforeAll(async () => {
  if (
    !existsSync(join(root, "dist/esm/module/index.js")) ||
    !existsSync(join(root, "dist/cjs/index.js"))
  ) {
    throw new Error("Nothing is built: run these tests through `npm run test:package`");
  }
  folder = await mkdtemp(join(tmpdir(), "purezmq-package-"));
  const { stdout } = await npm(root, "pack", "--json", "--pack-destination", folder);
  packed = (JSON.parse(stdout) as Packed[])[0]!;
  installed = join(folder, "installed");
  await mkdir(installed);
  await writeFile(join(installed, "package.json"), JSON.stringify({ private: true }));
  for (const name of DEPENDENCIES) {
    await npm(root, "pack", join(root, "node_modules", name), "--pack-destination", folder);
  }
  await install(installed, join(folder, packed.filename));
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Installs a package, and what it depends on from where it is here: there is no registry to ask. */
async function install(cwd: string, ...packages: string[]): Promise<void> {
  const tarballs = await readdir(folder);
  const needed = tarballs.filter((file) => DEPENDENCIES.some((name) => isOf(name, file)));
  const paths = needed.map((file) => join(folder, file));
  await npm(cwd, "install", "--legacy-peer-deps", ...packages, ...paths);
}

/** Whether a tarball is the package of that name: a number follows it. */
function isOf(name: string, tarball: string): boolean {
  return tarball.startsWith(`${name}-`) && /^\d/.test(tarball.slice(name.length + 1));
}

function npm(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return execute("npm", [...args, "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd,
  });
}

/** Runs node in `cwd` and returns what it printed, without the last line feed. */
async function node(cwd: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await execute(process.execPath, args, { cwd, timeout: 60_000 });
    return stdout.trimEnd();
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`node ${args.join(" ")} failed\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** A new project with what npm installed from the tarball, and these files beside it. */
async function project(files: Record<string, string>, type = "commonjs"): Promise<string> {
  const cwd = join(folder, `project-${++projects}`);
  await mkdir(cwd);
  await writeFile(join(cwd, "package.json"), JSON.stringify({ name: "user", private: true, type }));
  await cp(join(installed, "node_modules"), join(cwd, "node_modules"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  return cwd;
}

async function manifest(cwd: string): Promise<Manifest> {
  return JSON.parse(
    await readFile(join(cwd, "node_modules/purezmq/package.json"), "utf8"),
  ) as Manifest;
}

describe("the tarball", () => {
  test("is smaller than 425 KB", async () => {
    const { size } = await stat(join(folder, packed.filename));
    expect(size).toBeLessThan(425_000);
  });

  test("holds the build, the sources and the papers, and nothing else", () => {
    const paths = packed.files.map((file) => file.path);
    expect(new Set(paths.map((path) => path.split("/")[0]))).toEqual(
      new Set(["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "src"]),
    );
    // The modules of each build are joined: four entries, and what some of them share.
    const built = paths.filter((path) => /^dist\/.*\.js$/.test(path));
    for (const format of ["cjs", "esm"]) {
      const faces = ["index", "draft", "v5-compat"].map((it) =>
        format === "cjs" ? it : `module/${it}`,
      );
      const entries = [...faces, "zmtp/index"].map((it) => `dist/${format}/${it}`);
      const endings = ["js", "js.map", "d.ts"];
      const files = entries.flatMap((entry) => endings.map((ending) => `${entry}.${ending}`));
      expect(paths).toEqual(expect.arrayContaining(files));
      const code = built.filter((path) => path.startsWith(`dist/${format}/`));
      const shared = code.filter((path) => path.startsWith(`dist/${format}/shared/`));
      expect(code.length - shared.length).toBe(entries.length);
      expect(shared.length).toBeLessThan(6);
    }
  });

  test("has one dependency, which has one, and runs nothing when it is installed", async () => {
    const cwd = await project({});
    const { dependencies, optionalDependencies, gypfile, peerDependenciesMeta, scripts, ...rest } =
      await manifest(cwd);
    expect({ dependencies, optionalDependencies, gypfile }).toEqual({
      dependencies: { "libsodium-wrappers": expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    });
    for (const peer of Object.keys((rest["peerDependencies"] as object | undefined) ?? {})) {
      expect(peerDependenciesMeta).toHaveProperty([peer, "optional"], true);
    }
    for (const name of ["preinstall", "install", "postinstall", "prepare", "preprepare"]) {
      expect(scripts).not.toHaveProperty(name);
    }
    expect(
      Object.keys(
        JSON.parse(await readFile(join(cwd, "node_modules/.package-lock.json"), "utf8")).packages,
      ),
    ).toEqual([...DEPENDENCIES, "purezmq"].map((name) => `node_modules/${name}`));
  });

  test("maps its code to sources that it carries", async () => {
    const cwd = await project({});
    for (const format of ["esm", "cjs"]) {
      for (const name of ["index", "draft", "v5-compat"]) {
        const entry = format === "cjs" ? name : `module/${name}`;
        const path = join(cwd, "node_modules/purezmq/dist", format, `${entry}.js.map`);
        const map = JSON.parse(await readFile(path, "utf8")) as { sources: string[] };
        for (const source of map.sources) {
          expect(existsSync(join(dirname(path), source)), `${path}: ${source}`).toBe(true);
        }
      }
    }
  });
});

describe("JavaScript", () => {
  test("import from an ES module", async () => {
    const cwd = await project({
      "main.mjs": `
        import * as zmq from "purezmq";
        import { Pair, version } from "purezmq";
        ${PASS_A_MESSAGE}
        if (zmq.version !== version) throw new Error("not the same");
        console.log(await passAMessage("inproc://import"));
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("hello world");
  });

  test("require from a CommonJS module", async () => {
    const cwd = await project({
      "main.cjs": `
        const { Pair } = require("purezmq");
        ${PASS_A_MESSAGE}
        passAMessage("inproc://require").then(console.log);
      `,
    });
    expect(await node(cwd, "main.cjs")).toBe("hello world");
  });

  test("the first program of the README", async () => {
    const readme = await readFile(join(root, "README.md"), "utf8");
    const [, program] = /## A first program\s+```ts\n([\s\S]+?)```/.exec(readme) ?? [];
    const { outputText } = ts.transpileModule(program as string, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const cwd = await project({ "main.mjs": outputText });
    expect(await node(cwd, "main.mjs")).toBe("hello world");
  });

  test("the protocol is there once, for the sockets and by itself", async () => {
    const cwd = await project({
      "main.mjs": `
        import { connect } from "node:net";
        import { Pair } from "purezmq";
        import { ProtocolError } from "purezmq/zmtp";
        const socket = new Pair();
        await socket.bind("tcp://127.0.0.1:*");
        const [, port] = /:(\\d+)$/.exec(socket.lastEndpoint);
        connect(port, "127.0.0.1").end("GET / HTTP/1.0\\r\\n\\r\\n");
        for await (const event of socket.events) {
          if (event.type !== "handshake:error:protocol") continue;
          console.log(event.error.cause instanceof ProtocolError);
          socket.close();
        }
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("true");
  });

  test("./zmtp both ways, with the same names", async () => {
    const cwd = await project({
      "main.cjs": `
        const required = Object.keys(require("purezmq/zmtp")).sort();
        import("purezmq/zmtp").then((imported) => {
          const names = Object.keys(imported).filter((name) => !/^(default|module\\.exports)$/.test(name));
          console.log(JSON.stringify({ required, imported: names.sort() }));
        });
      `,
    });
    const { required, imported } = JSON.parse(await node(cwd, "main.cjs"));
    expect(required).toEqual(imported);
    expect(required).toEqual(expect.arrayContaining(["Decoder", "Encoder", "ProtocolError"]));
  });

  test("the default import has npm zeromq's names; __esModule is there for require, and not in the way", async () => {
    const cwd = await project({
      "main.mjs": `
        import zmq, { Pair } from "purezmq";
        console.log(zmq.Pair === Pair, Object.keys(zmq).sort().join(" "));
      `,
      "main.cjs": `
        const zmq = require("purezmq");
        console.log(zmq.__esModule, Object.keys(zmq).includes("__esModule"), "default" in zmq);
        class Fake {}
        zmq.Pair = Fake;
        console.log(require("purezmq").Pair === Fake, require("purezmq").Proxy.name);
      `,
    });
    const names = Object.keys(require("zeromq")).sort().join(" ");
    expect(await node(cwd, "main.mjs")).toBe(`true ${names}`);
    expect(await node(cwd, "main.cjs")).toBe("true false false\ntrue Proxy");
  });

  test.each(["draft", "draft.js"])("./%s both ways: its sockets are the root's", async (entry) => {
    const program = `
      const [radio, dish] = [new Radio({ linger: 0 }), new Dish()];
      dish.join("group");
      dish.bindSync("inproc://draft");
      radio.connect("inproc://draft");
      setImmediate(() => radio.send("hello", { group: "group" }));
      dish.receive().then(([body, { group }]) => {
        console.log(radio instanceof Socket, String(body), String(group));
        radio.close();
        dish.close();
      });
    `;
    const cwd = await project({
      "main.cjs": `
        const { Socket } = require("purezmq");
        const { Radio, Dish } = require("purezmq/${entry}");
        ${program}
      `,
      "main.mjs": `
        import { Socket } from "purezmq";
        import { Radio, Dish } from "purezmq/${entry}";
        ${program}
      `,
    });
    expect(await node(cwd, "main.cjs")).toBe("true hello group");
    expect(await node(cwd, "main.mjs")).toBe("true hello group");
  });

  test.each(["v5-compat", "v5-compat.js"])("./%s both ways", async (entry) => {
    const program = `
      const [push, pull] = [zmq.socket("push"), zmq.socket("pull")];
      pull.on("message", (...frames) => {
        console.log(frames.map(String).join(" "));
        push.close();
        pull.close();
      });
      push.bindSync("inproc://v5");
      pull.connect("inproc://v5");
      push.send(["hello", "world"]);
    `;
    const cwd = await project({
      "main.cjs": `const zmq = require("purezmq/${entry}");${program}`,
      "main.mjs": `import zmq from "purezmq/${entry}";${program}`,
    });
    expect(await node(cwd, "main.cjs")).toBe("hello world");
    expect(await node(cwd, "main.mjs")).toBe("hello world");
  });

  test("under npm zeromq's name, with no line changed", async () => {
    const cwd = join(folder, "alias");
    await mkdir(cwd);
    const dependencies = { zeromq: `file:${join(folder, packed.filename)}` };
    await writeFile(join(cwd, "package.json"), JSON.stringify({ private: true, dependencies }));
    await install(cwd);
    const program = `
      const server = new zmq.Reply();
      const client = new zmq.Request();
      server.bind("tcp://127.0.0.1:*").then(async () => {
        client.connect(server.lastEndpoint);
        await client.send("hello");
        console.log(String(await server.receive()), zmq.version);
        client.linger = 0;
        client.close();
        server.close();
      });
    `;
    await writeFile(join(cwd, "main.cjs"), `const zmq = require("zeromq");${program}`);
    await writeFile(join(cwd, "main.mjs"), `import * as zmq from "zeromq";${program}`);
    await writeFile(
      join(cwd, "old.cjs"),
      `console.log(typeof require("zeromq/v5-compat").socket);`,
    );
    expect(await node(cwd, "main.cjs")).toBe("hello 4.3.5");
    expect(await node(cwd, "main.mjs")).toBe("hello 4.3.5");
    expect(await node(cwd, "old.cjs")).toBe("function");
  });

  test("worker threads that require and import it are one library with the main thread", async () => {
    const cwd = await project({
      "main.mjs": `
        import { Worker } from "node:worker_threads";
        import { Pair } from "purezmq";
        const one = new Pair();
        await one.bind("inproc://threads");
        for (const file of ["worker.cjs", "worker.mjs"]) {
          const worker = new Worker(new URL(file, import.meta.url));
          const gone = new Promise((resolve) => worker.on("exit", resolve));
          await one.send("to " + file);
          console.log(String(await one.receive()));
          await gone;
        }
        one.close();
      `,
      "worker.cjs": `
        const { Pair } = require("purezmq");
        const other = new Pair();
        other.connect("inproc://threads");
        other.receive().then((message) => other.send("answer " + message)).then(() => other.close());
      `,
      "worker.mjs": `
        import { Pair } from "purezmq";
        const other = new Pair();
        other.connect("inproc://threads");
        await other.send("answer " + await other.receive());
        other.close();
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("answer to worker.cjs\nanswer to worker.mjs");
  });

  test("./package.json both ways", async () => {
    const cwd = await project({
      "main.cjs": `console.log(require("purezmq/package.json").name);`,
      "main.mjs": `
        import { createRequire } from "node:module";
        import { readFileSync } from "node:fs";
        const path = createRequire(import.meta.url).resolve("purezmq/package.json");
        console.log(JSON.parse(readFileSync(path)).name);
      `,
    });
    expect(await node(cwd, "main.cjs")).toBe("purezmq");
    expect(await node(cwd, "main.mjs")).toBe("purezmq");
  });

  test("nothing but the entry points can be reached", async () => {
    const cwd = await project({ "main.cjs": `require("purezmq/dist/cjs/index.js");` });
    await expect(node(cwd, "main.cjs")).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  test("imported and required copies in one process are one library", async () => {
    const cwd = await project({
      "main.mjs": `
        import { createRequire } from "node:module";
        import * as imported from "purezmq";
        const required = createRequire(import.meta.url)("purezmq");
        console.log(imported.context === required.context);
        const one = new imported.Pair();
        const other = new required.Pair();
        await one.bind("inproc://shared");
        other.connect("inproc://shared");
        await other.send("across");
        console.log(String(await one.receive()));
        one.close();
        other.close();
      `,
    });
    expect(await node(cwd, "main.mjs")).toBe("true\nacross");
  });

  test("root exports are npm zeromq's, in its order", async () => {
    const cwd = await project({
      "main.cjs": `console.log(JSON.stringify(Object.keys(require("purezmq"))));`,
      "main.mjs": `
        import * as zmq from "purezmq";
        console.log(JSON.stringify(Object.keys(zmq)));
      `,
    });
    const theirs = Object.keys(require("zeromq"));
    const required = JSON.parse(await node(cwd, "main.cjs")) as string[];
    const imported = JSON.parse(await node(cwd, "main.mjs")) as string[];
    expect(required).toEqual(theirs.filter((name) => required.includes(name)));
    expect(required).toEqual(
      expect.arrayContaining(["capability", "context", "version", "Context", "Socket", "Pair"]),
    );
    expect(imported.filter((name) => name !== "default").sort()).toEqual([...required].sort());
  });

  test("Jest", async () => {
    const cwd = await project({
      "jest.config.json": JSON.stringify({ transform: {}, testEnvironment: "node" }),
      "user.test.js": `
        const { Pair } = require("purezmq");
        ${PASS_A_MESSAGE}
        test("inproc", async () => {
          expect(await passAMessage("inproc://jest")).toBe("hello world");
        });
        test("typed arrays of Jest's own realm", async () => {
          const one = new Pair();
          const other = new Pair();
          await one.bind("tcp://127.0.0.1:*");
          other.connect(one.lastEndpoint);
          await other.send([new Uint8Array([1, 2]), new ArrayBuffer(3), Buffer.from("4")]);
          const parts = await one.receive();
          expect(parts.map((part) => part.length)).toEqual([2, 3, 1]);
          one.close();
          other.close();
        });
      `,
    });
    const { stdout, stderr } = await execute(
      process.execPath,
      [jest, "--rootDir", cwd, "--config", join(cwd, "jest.config.json"), "--ci"],
      { cwd, timeout: 100_000 },
    ).catch((error: { stdout: string; stderr: string }) => error);
    expect(`${stdout}${stderr}`).toContain("2 passed, 2 total");
  });
});

describe("TypeScript", () => {
  const program = `
    import {
      type Context, context, curveKeyPair, type Event, type EventOfType, type EventSubscriber,
      type EventType, type Message, type MessageLike, Observer, Pair, Proxy, type Readable, Router,
      Dealer, Socket, type SocketOptions, Subscriber, version, type Writable, capability,
    } from "purezmq";
    import { Server } from "purezmq/draft";
    import * as old from "purezmq/v5-compat";
    import * as zmtp from "purezmq/zmtp";

    class Mock implements Writable, Readable {
      multicastHops = 1;
      sendBufferSize = -1;
      sendHighWaterMark = 1;
      sendTimeout = -1;
      receiveBufferSize = -1;
      receiveHighWaterMark = 1;
      receiveTimeout = -1;
      async send(_message: MessageLike | MessageLike[]): Promise<void> {}
      async receive(): Promise<Message[]> { return []; }
      async *[Symbol.asyncIterator](): AsyncGenerator<Message[], undefined> { return undefined; }
    }

    async function relay(from: Readable, to: Writable): Promise<void> {
      await to.send(await from.receive());
    }

    function watch<E extends EventType>(socket: Socket, type: E, seen: (it: EventOfType<E>) => void): EventSubscriber {
      return socket.events.on(type, seen);
    }

    async function main(): Promise<void> {
      const options: SocketOptions<Pair> = { linger: 0, context };
      const one = new Pair(options);
      const other = new Pair({ linger: 0 });
      const shared: Context = context;
      watch(one, "bind", ({ address }) => void address);
      const sub = new Subscriber({ receiveTimeout: 1 });
      sub.subscribe("a", Buffer.from("b"));
      sub.close();
      new Proxy(new Router(), new Dealer()).frontEnd.close();
      const observer: Observer = other.events;
      const last: Event | undefined = undefined;
      const ipc: boolean | undefined = capability.ipc;
      const { publicKey } = curveKeyPair();
      const emitter = old.socket("pair");
      emitter.on("message", (...frames) => void frames).close();
      new Server({ context }).close();
      await one.bind("inproc://typescript");
      other.connect("inproc://typescript");
      await relay(new Mock(), new Mock());
      await other.send(["hello", Buffer.from("world")]);
      const [first, second]: Buffer[] = await one.receive();
      one.close();
      other.close();
      const fine = shared === context && typeof zmtp.ProtocolError === "function" && ipc && !last;
      if (!fine || observer === undefined || publicKey.length !== 40) throw new Error(version);
      console.log(String(first), String(second));
    }

    void main();
  `;

  /** Compiles `main.ts` with TypeScript in `cwd` as its compiler options say, and runs it. */
  async function compileAndRun(
    compiler: keyof typeof compilers,
    type: string,
    compilerOptions: object,
    source = program,
  ): Promise<string> {
    const cwd = await project(
      {
        "main.ts": source,
        "tsconfig.json": JSON.stringify({
          compilerOptions: {
            target: "ES2022",
            lib: ["ES2022"],
            types: ["node"],
            strict: true,
            outDir: "out",
            ...compilerOptions,
          },
          files: ["main.ts"],
        }),
      },
      type,
    );
    await mkdir(join(cwd, "node_modules/@types"));
    await symlink(nodeTypes, join(cwd, "node_modules/@types/node"), "junction");
    await node(cwd, compilers[compiler], "-p", cwd);
    return node(cwd, "out/main.js");
  }

  const strictest = {
    module: "node16",
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  };

  describe.each([5, 6] as const)("%i", (compiler) => {
    test.each<[string, string, object]>([
      ["node16, CommonJS", "commonjs", { module: "node16" }],
      ["node16, ES modules", "module", { module: "node16" }],
      ["nodenext, CommonJS", "commonjs", { module: "nodenext" }],
      ["nodenext, ES modules", "module", { module: "nodenext" }],
      ["bundler", "module", { module: "esnext", moduleResolution: "bundler" }],
      [
        "node10: the resolution of before exports maps",
        "commonjs",
        {
          module: "commonjs",
          moduleResolution: "node10",
          ...(compiler === 6 && { ignoreDeprecations: "6.0" }),
        },
      ],
      ["the strictest flags, libraries checked", "commonjs", strictest],
    ])("%s", async (_, type, options) => {
      expect(await compileAndRun(compiler, type, options)).toBe("hello world");
    });
  });

  test("CommonJS declarations keep out what old compilers do not know", async () => {
    const unknown = [
      /^(import|export) type \{|[{,] type \w|#private|"node:/m,
      // TypeScript 4.0: names of a tuple's elements; 5.7: what kind of buffer an array is of.
      /\[\w+\??: [^\]]*,/,
      /\bUint8Array</,
    ];
    const cwd = await project({});
    const folder = join(cwd, "node_modules/purezmq/dist/cjs");
    const files = packed.files.filter(({ path }) => /^dist\/cjs\/.*\.d\.ts$/.test(path));
    expect(files.length).toBeGreaterThan(10);
    for (const { path } of files) {
      const text = await readFile(join(folder, path.slice("dist/cjs/".length)), "utf8");
      expect([path, unknown.filter((it) => it.test(text))]).toEqual([path, []]);
    }
  });

  test("the default import is a name space, types and all", async () => {
    const source = `
      import zmq from "purezmq";
      const socket: zmq.Pair = new zmq.Pair();
      console.log(socket instanceof zmq.Socket);
      socket.close();
    `;
    expect(await compileAndRun(6, "module", { module: "nodenext" }, source)).toBe("true");
    const options = { module: "node16", esModuleInterop: false };
    const old = source.replace('zmq from "purezmq"', '* as zmq from "purezmq"');
    expect(await compileAndRun(5, "commonjs", options, old)).toBe("true");
  });
});
