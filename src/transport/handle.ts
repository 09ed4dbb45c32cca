import { getSystemErrorName } from "node:util";

/**
 * Synchronous binding. Node looks a host up before it listens, and tells of errors a tick later;
 * only a handle made by hand can fail at the call. The handle's class is not public: where it
 * cannot be had, {@link bindHandle} says so and the caller binds the ordinary way.
 */
export interface TcpHandle {
  bind(ip: string, port: number): number;
  bind6(ip: string, port: number, flags: number): number;
  getsockname(out: { address?: string; port?: number }): number;
  listen(backlog: number): number;
  close(): void;
}

interface TcpWrap {
  TCP: new (type: number) => TcpHandle;
  constants: { SERVER: number };
}

/**
 * Binds an IP address now.
 * @returns A handle for `Server.listen`, the code of the error, or undefined when this runtime
 *   has no such handles.
 */
export function bindHandle(ip: string, port: number): TcpHandle | string | undefined {
  const wrap = tcpWrap();
  if (wrap === undefined) return undefined;
  const handle = new wrap.TCP(wrap.constants.SERVER);
  const status = ip.includes(":") ? handle.bind6(ip, port, 0) : handle.bind(ip, port);
  // libuv keeps a bind error back until listen, or getsockname, asks.
  const late = status === 0 ? handle.getsockname({}) : status;
  if (late === 0) return handle;
  handle.close();
  return getSystemErrorName(late);
}

function tcpWrap(): TcpWrap | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => unknown };
  try {
    const wrap = binding?.call(process, "tcp_wrap") as Partial<TcpWrap> | undefined;
    return wrap?.TCP !== undefined && wrap.constants !== undefined ? (wrap as TcpWrap) : undefined;
  } catch {
    return undefined;
  }
}
