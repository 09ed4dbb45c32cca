import { expect, it } from "vitest";
import { Meeting } from "../../src/transport/inproc.js";

/** Who suits whoever is not called as `unlike`. */
class Guest {
  readonly unlike: string;

  constructor(unlike = "") {
    this.unlike = unlike;
  }

  suits(host: string): boolean {
    return host !== this.unlike;
  }
}

const guest = new Guest();

it("finds who has bound a name", () => {
  const meeting = new Meeting<string, Guest>();
  expect(meeting.bind("name", "host")).toEqual([]);
  expect(meeting.connect("name", guest)).toBe("host");
  expect(meeting.connect("other", guest)).toBeUndefined();
});

it("lets guests wait, in order, and only while they want to", () => {
  const meeting = new Meeting<string, Guest>();
  const [a, b, c] = [new Guest(), new Guest(), new Guest()];
  for (const guest of [a, b, c]) expect(meeting.connect("name", guest)).toBeUndefined();
  meeting.leave("name", b);
  meeting.leave("name", b);
  meeting.leave("nowhere", b);
  expect(meeting.bind("name", "host")).toEqual([a, c]);
  expect(meeting.bind("name", "other")).toBeUndefined();
});

it("gives a name up for its host alone", () => {
  const meeting = new Meeting<string, Guest>();
  meeting.bind("name", "host");
  meeting.unbind("name", "other");
  expect(meeting.connect("name", guest)).toBe("host");
  meeting.unbind("name", "host");
  expect(meeting.connect("name", guest)).toBeUndefined();
  meeting.leave("name", guest);
  expect(meeting.bind("name", "other")).toEqual([]);
});

it.each(["__proto__", "constructor", "toString"])(
  "knows no name before it is bound: %s",
  (name) => {
    const meeting = new Meeting<string, Guest>();
    expect(meeting.connect(name, guest)).toBeUndefined();
    expect(meeting.bind(name, "host")).toEqual([guest]);
  },
);

it("who finds somebody unsuitable waits for the next, whoever of the two came first", () => {
  const meeting = new Meeting<string, Guest>();
  const [early, late] = [new Guest("wrong"), new Guest("wrong")];
  meeting.connect("name", early);
  meeting.connect("name", guest);
  expect(meeting.bind("name", "wrong")).toEqual([guest]);
  expect(meeting.connect("name", late)).toBeUndefined();
  meeting.unbind("name", "wrong");
  expect(meeting.bind("name", "right")).toEqual([early, late]);
});
