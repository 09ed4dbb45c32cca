import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Question } from "../../src/socket/question.js";

let answers: string[];
let drop: ReturnType<typeof vi.fn<() => void>>;
let question: Question<string>;

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  drop = vi.fn();
  question = new Question((answer) => answers.push(answer), "none");
  question.drop = drop;
});

afterEach(() => {
  vi.useRealTimers();
});

it("is settled by its first answer, and by no other", () => {
  expect(question.open).toBe(true);
  question.answer("one");
  question.answer("two");
  vi.advanceTimersByTime(60_000);
  expect([answers, question.open]).toEqual([["one"], false]);
  expect([drop.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0]);
});

it("is settled with none after 30 s", () => {
  vi.advanceTimersByTime(29_999);
  expect(answers).toEqual([]);
  vi.advanceTimersByTime(1);
  question.answer("late");
  expect([answers, drop.mock.calls.length]).toEqual([["none"], 1]);
});

it("that is taken back is never settled, and is dropped once", () => {
  question.takeBack();
  question.takeBack();
  question.answer("late");
  vi.advanceTimersByTime(60_000);
  expect([answers, question.open, drop.mock.calls.length]).toEqual([[], false, 1]);
  expect(vi.getTimerCount()).toBe(0);
});

it("is over before whoever settles it hears of that: it may ask the next", () => {
  const seen: boolean[] = [];
  const one: Question<string> = new Question(() => seen.push(one.open), "none");
  one.answer("now");
  expect(seen).toEqual([false]);
});
