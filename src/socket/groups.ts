import type { NameSet } from "./name-set.js";

/** Largest size of a group's name, in octets (`ZMQ_GROUP_MAX_LENGTH`). */
export const GROUP_MAX = 255;

/** Who joins groups, and which: both are kept here, and change together. */
export interface Member {
  readonly groups: NameSet;
}

const NOBODY: ReadonlySet<never> = new Set();

/** Who is in which group, however often he joined it. A name is a string with a character per octet. */
export class Groups<M extends Member> {
  readonly #members = new Map<string, Set<M>>();

  /** Groups that anybody is in. */
  get size(): number {
    return this.#members.size;
  }

  /** Who is in a group. */
  membersOf(group: string): ReadonlySet<M> {
    return this.#members.get(group) ?? NOBODY;
  }

  join(group: string, member: M): void {
    member.groups.add(group);
    const members = this.#members.get(group);
    if (members === undefined) this.#members.set(group, new Set([member]));
    else members.add(member);
  }

  leave(group: string, member: M): void {
    if (!member.groups.delete(group)) return;
    const members = this.#members.get(group) as Set<M>;
    members.delete(member);
    if (members.size === 0) this.#members.delete(group);
  }

  /** Takes a member out of all groups. */
  delete(member: M): void {
    for (const group of [...member.groups]) this.leave(group, member);
  }
}
