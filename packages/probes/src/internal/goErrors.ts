/** Errors of connections in the words of Go's network library, which are what users of probes know and search for. */
import { hostPort } from "../ProbeAction.js"

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  EADDRNOTAVAIL: "connect: cannot assign requested address",
  EACCES: "connect: permission denied",
  ETIMEDOUT: "connect: connection timed out",
  EMFILE: "socket: too many open files"
}

/** Fields of an error, as far as it has them. */
export interface Facts {
  readonly code: string
  readonly syscall: string
  readonly message: string
}

const field = (error: object, name: string): unknown => Reflect.get(error, name)

/** A name with several addresses fails with one error for each; the first is the one to tell. */
export const factsOf = (error: unknown): Facts => {
  if (!(error instanceof Error)) return { code: "", syscall: "", message: String(error) }
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  if (first instanceof Error) return factsOf(first)
  const code = field(error, "code")
  // A stream that was cancelled with its connection: why the connection broke is what matters.
  if (code === "ERR_HTTP2_STREAM_CANCEL" && error.cause instanceof Error) return factsOf(error.cause)
  const syscall = field(error, "syscall")
  return { code: typeof code === "string" ? code : "", syscall: typeof syscall === "string" ? syscall : "", message: error.message }
}

/** Why a connection could not be opened. */
export const dial = (host: string, port: number, error: unknown): string => {
  const { code, message } = factsOf(error)
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `dial tcp: lookup ${host}: ${code === "ENOTFOUND" ? "no such host" : "server misbehaving"}`
  }
  return `dial tcp ${hostPort(host, port)}: ${words[code] ?? message}`
}
