import { errnoError } from "../errors.js";
import type { OptionStore } from "../options.js";
import { Policy } from "./policy.js";

/** What an option asks for: a mechanism, and perhaps a part to play in it. */
const ASKS: Readonly<Record<string, { mechanism: "plain" | "curve"; as?: "server" | "client" }>> = {
  plainServer: { mechanism: "plain", as: "server" },
  plainUsername: { mechanism: "plain", as: "client" },
  plainPassword: { mechanism: "plain", as: "client" },
  curveServer: { mechanism: "curve", as: "server" },
  curvePublicKey: { mechanism: "curve" },
  curveSecretKey: { mechanism: "curve" },
  curveServerKey: { mechanism: "curve", as: "client" },
};

/**
 * What a socket's options say of its security (`ZMQ_MECHANISM`): which mechanism, and which part we
 * play in it.
 *
 * As with libzmq, whichever option was set last decides, and `plainServer` or `curveServer` makes a
 * server, a login or `curveServerKey` a client. But what turns a server off turns off nothing that
 * other options ask for: with libzmq `curveServer: false` behind the keys of a client means clear
 * text.
 */
export class Security {
  readonly #options: OptionStore;

  constructor(options: OptionStore) {
    this.#options = options;
  }

  /** An option was set: perhaps one of ours. */
  optionSet(name: string): void {
    const asked = ASKS[name];
    if (asked === undefined) return;
    if (this.#isSet(name)) this.#choose(asked);
    else this.#unset(name, asked.mechanism);
  }

  /**
   * What the options say now, for an endpoint that is about to be bound or connected.
   * @throws EINVAL when they do not say enough.
   */
  policy(endpoint: string): Policy {
    const options = this.#options;
    const mechanism = options.value("securityMechanism");
    const domain = options.octets("zapDomain");
    const zap = { domain, enforced: options.boolean("zapEnforceDomain") };
    if (mechanism === "plain") return new Policy({ ...zap, plain: this.#plain });
    if (mechanism === "curve") return new Policy({ ...zap, curve: this.#curve(endpoint) });
    return new Policy(zap);
  }

  #isSet(name: string): boolean {
    return this.#options.boolean(name) || this.#options.octets(name) !== undefined;
  }

  #choose({ mechanism, as }: { mechanism: "plain" | "curve"; as?: "server" | "client" }): void {
    const options = this.#options;
    options.put("securityMechanism", mechanism);
    options.put(`${otherThan(mechanism)}Server`, false);
    if (as !== undefined) options.put(`${mechanism}Server`, as === "server");
  }

  #unset(name: string, mechanism: "plain" | "curve"): void {
    const options = this.#options;
    // Half a login is none.
    if (ASKS[name]?.as === "client" && mechanism === "plain") {
      options.put("plainUsername", null);
      options.put("plainPassword", null);
    }
    if (options.value("securityMechanism") !== mechanism || this.#isAsked(mechanism)) return;
    const other = otherThan(mechanism);
    options.put("securityMechanism", this.#isAsked(other) ? other : null);
  }

  #isAsked(mechanism: "plain" | "curve"): boolean {
    return Object.keys(ASKS).some(
      (name) => ASKS[name]?.mechanism === mechanism && this.#isSet(name),
    );
  }

  get #plain(): { username: Uint8Array; password: Uint8Array } | "server" {
    const options = this.#options;
    if (options.boolean("plainServer")) return "server";
    const nothing = new Uint8Array(0);
    return {
      username: options.octets("plainUsername") ?? nothing,
      password: options.octets("plainPassword") ?? nothing,
    };
  }

  #curve(endpoint: string): {
    secretKey: Uint8Array | undefined;
    serverKey: Uint8Array | undefined;
  } {
    const options = this.#options;
    const secretKey = options.octets("curveSecretKey");
    if (options.boolean("curveServer")) {
      // libzmq takes that, too, and a program may only want to see that the handshake fails.
      if (secretKey === undefined) warnOfNoKey();
      return { secretKey, serverKey: undefined };
    }
    const serverKey = options.octets("curveServerKey");
    if (secretKey === undefined) throw missing("curveSecretKey", endpoint);
    if (serverKey === undefined) throw missing("curveServerKey or curveServer", endpoint);
    return { secretKey, serverKey };
  }
}

function otherThan(mechanism: "plain" | "curve"): "plain" | "curve" {
  return mechanism === "plain" ? "curve" : "plain";
}

function missing(option: string, endpoint: string): Error {
  return errnoError("EINVAL", endpoint, `Invalid argument: CURVE needs the option ${option}`);
}

function warnOfNoKey(): void {
  process.emitWarning("curveServer without curveSecretKey: no client can know our key.");
}
