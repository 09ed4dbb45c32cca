import { expect, it } from "vitest";
import { Meeting } from "../../src/transport/inproc.js";

it("finds who has bound a name", () => {
  const meeting = new Meeting<string, string>();
  expect(meeting.bind("name", "host")).toEqual([]);
  expect(meeting.connect("name", "guest")).toBe("host");
  expect(meeting.connect("other", "guest")).toBeUndefined();
});

it("lets guests wait, in order, and only while they want to", () => {
  const meeting = new Meeting<string, string>();
  for (const guest of ["a", "b", "c"]) expect(meeting.connect("name", guest)).toBeUndefined();
  meeting.leave("name", "b");
  meeting.leave("name", "b");
  meeting.leave("nowhere", "b");
  expect(meeting.bind("name", "host")).toEqual(["a", "c"]);
  expect(meeting.bind("name", "other")).toBeUndefined();
});

it("gives a name up for its host alone", () => {
  const meeting = new Meeting<string, string>();
  meeting.bind("name", "host");
  meeting.unbind("name", "other");
  expect(meeting.connect("name", "guest")).toBe("host");
  meeting.unbind("name", "host");
  expect(meeting.connect("name", "guest")).toBeUndefined();
  meeting.leave("name", "guest");
  expect(meeting.bind("name", "other")).toEqual([]);
});

it.each(["__proto__", "constructor", "toString"])(
  "knows no name before it is bound: %s",
  (name) => {
    const meeting = new Meeting<string, string>();
    expect(meeting.connect(name, "guest")).toBeUndefined();
    expect(meeting.bind(name, "host")).toEqual(["guest"]);
  },
);
