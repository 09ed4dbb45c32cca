import { beforeEach, describe, expect, it } from "vitest";
import { type Candidate, Candidates } from "../../src/socket/candidates.js";

let candidates: Candidates;
let entered: string[];
let places: number;

beforeEach(() => {
  candidates = new Candidates();
  entered = [];
  places = 0;
});

function candidate(name: string): Candidate {
  return {
    enter: () => {
      entered.push(name);
      places--;
    },
  };
}

const vacant = (): boolean => places > 0;

/** Is gone as soon as it is in: there is a place again, and whoever waits is asked. */
function mayfly(): Candidate {
  return {
    enter: () => {
      entered.push("mayfly");
      candidates.admit(vacant);
    },
  };
}

describe("Candidates", () => {
  it("lets in any number that are gone at once, in one loop", () => {
    places = 1;
    for (let i = 0; i < 50_000; i++) candidates.add(mayfly());
    candidates.add(candidate("last"));
    candidates.admit(vacant);
    expect(entered.length).toBe(50_001);
    expect([entered.at(-1), places]).toEqual(["last", 0]);
  });

  it("lets nobody in while there is no place", () => {
    candidates.add(candidate("a"));
    candidates.admit(vacant);
    expect(entered).toEqual([]);
  });

  it("lets in as many as there are places, first come, first served", () => {
    for (const name of ["a", "b", "c"]) candidates.add(candidate(name));
    places = 2;
    candidates.admit(vacant);
    expect(entered).toEqual(["a", "b"]);
    places = 1;
    candidates.admit(vacant);
    expect(entered).toEqual(["a", "b", "c"]);
    places = 1;
    candidates.admit(vacant);
    expect(entered).toEqual(["a", "b", "c"]);
  });

  it("forgets who has left", () => {
    const first = candidate("a");
    candidates.add(first);
    candidates.add(candidate("b"));
    candidates.delete(first);
    places = 1;
    candidates.admit(vacant);
    expect(entered).toEqual(["b"]);
  });

  it("lets the same one in once", () => {
    const first = candidate("a");
    candidates.add(first);
    candidates.add(first);
    places = 2;
    candidates.admit(vacant);
    expect(entered).toEqual(["a"]);
  });

  it("bears that one who enters gives the place up at once", () => {
    const brief: Candidate = {
      enter: () => {
        entered.push("brief");
        candidates.admit(vacant);
      },
    };
    candidates.add(brief);
    candidates.add(candidate("a"));
    candidates.add(candidate("b"));
    places = 1;
    candidates.admit(vacant);
    expect(entered).toEqual(["brief", "a"]);
  });

  it("goes on, the next time, after one that cannot enter", () => {
    const clumsy: Candidate = {
      enter: () => {
        throw new Error("stumbled");
      },
    };
    candidates.add(clumsy);
    candidates.add(candidate("a"));
    places = 1;
    expect(() => candidates.admit(vacant)).toThrow("stumbled");
    candidates.admit(vacant);
    expect(entered).toEqual(["a"]);
  });

  it("does not go on for ever with one who waits again at once", () => {
    let times = 0;
    const stubborn: Candidate = {
      enter: () => {
        if (times++ < 100) candidates.add(stubborn);
      },
    };
    candidates.add(stubborn);
    places = 1;
    candidates.admit(() => times === 0);
    expect(times).toBe(1);
  });
});
