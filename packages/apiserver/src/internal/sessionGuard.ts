/**
 * Lets go of HTTP/2 connections that keep the server busy without asking for anything: floods of pings and settings, and
 * streams that are opened and reset at once. What else there is (frames nobody understands, headers without end, unread
 * answers) node:http2 bounds by its own options.
 */
import type { Http2Session, ServerHttp2Stream } from "node:http2"

/** How much of each a connection may do within one window. Real clients send a ping now and then and settings once. */
export interface Allowance {
  readonly windowMillis: number
  readonly pings: number
  readonly settings: number
  /** Streams that the peer reset before they were answered. */
  readonly resets: number
}

/** Far above what Kubernetes clients do. */
export const defaults: Allowance = { windowMillis: 10_000, pings: 200, settings: 50, resets: 500 }

/** Counts on one connection, and calls `onAbuse` once when it does too much. */
export const watch = (session: Http2Session, now: () => number, allowed: Allowance, onAbuse: () => void): void => {
  let begin = now()
  let ended = false
  let counts = { pings: 0, settings: 0, resets: 0 }
  const count = (what: keyof typeof counts) => {
    const time = now()
    if (time - begin > allowed.windowMillis) {
      begin = time
      counts = { pings: 0, settings: 0, resets: 0 }
    }
    counts[what]++
    if (counts[what] <= allowed[what] || ended || session.destroyed) return
    ended = true
    // Not from within the frame that was one too many: the session is still working on it.
    setImmediate(onAbuse)
  }
  session.on("ping", () => count("pings"))
  session.on("remoteSettings", () => count("settings"))
  session.on("stream", (stream: ServerHttp2Stream) => {
    stream.once("aborted", () => count("resets"))
  })
}
