import type { Parts } from "../message.js";
import type { ContextCore } from "./context-core.js";
import { Core } from "./core.js";
import { InprocConnection } from "./inproc.js";
import type { SocketKind } from "./kind.js";
import { NoInput, noOutput, RoutedPattern } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { ZAP_ENDPOINT, ZAP_NAME, type Zap } from "./zap.js";

const ZMQ_REQ = 3;

/**
 * Asks a context's ZAP handler (RFC 27), the Router or Reply that the application has bound.
 *
 * Each request has a connection of its own, as with libzmq: so whatever is wrong with a reply, it
 * is plain whose it is, and who waits learns at once that the handler is gone.
 */
export class ZapClient implements Zap {
  readonly #context: ContextCore;
  readonly #questions = new Questions();
  #core: Core | undefined;

  constructor(context: ContextCore) {
    this.#context = context;
  }

  get found(): boolean {
    const { names, abroad } = this.#context;
    return names.find(ZAP_NAME) !== undefined || abroad?.knows(ZAP_NAME) === true;
  }

  ask(request: Parts, done: (reply: Parts | undefined) => void): () => void {
    this.#core ??= this.#open();
    const core = this.#core;
    const connection = new InprocConnection(core, ZAP_NAME, ZAP_ENDPOINT);
    const stop = (): void => core.remove(connection);
    const answered = (reply: Parts | undefined): void => {
      stop();
      done(reply);
    };
    // A handler that comes later is asked about those who come later.
    connection.onUnmet = () => answered(undefined);
    this.#questions.ask(request, answered);
    core.addConnected(connection);
    connection.connect();
    return stop;
  }

  /** A socket of ours that speaks as a REQ, to which Router and Reply may talk. */
  #open(): Core {
    const kind: SocketKind = {
      type: ZMQ_REQ,
      name: "REQ",
      options: new Map(),
      hidden: true,
      pattern: (host) => new RoutedPattern(host, this.#questions, noOutput),
    };
    const core = new Core(kind, this.#context);
    core.options.put("linger", 0);
    return core;
  }
}

interface Question {
  request: Parts;
  done: (reply: Parts | undefined) => void;
}

/** A pipe for each question; what comes first from it is the answer, and its end is one as well. */
class Questions extends NoInput {
  readonly #asked = new Map<Pipe, Question>();
  #next: Question | undefined;

  /** What to say to whom the next pipe leads to. */
  ask(request: Parts, done: Question["done"]): void {
    this.#next = { request, done };
  }

  override attach(pipe: Pipe): void {
    const question = this.#next as Question;
    this.#next = undefined;
    this.#asked.set(pipe, question);
    pipe.write(question.request);
    pipe.flush();
    super.attach(pipe);
  }

  override activated(pipe: Pipe): void {
    const reply = pipe.read();
    if (reply !== undefined) this.#answered(pipe, reply);
  }

  override ended(pipe: Pipe): void {
    this.#answered(pipe, undefined);
    super.ended(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#asked.delete(pipe);
    // Peers that ask and go, over and over, shall not fill the handler's queue: nobody waits for an answer.
    pipe.retract();
    super.detach(pipe);
  }

  #answered(pipe: Pipe, reply: Parts | undefined): void {
    const question = this.#asked.get(pipe);
    this.#asked.delete(pipe);
    question?.done(reply);
  }
}
