/**
 * How the events of a watch are put on a connection: lines of JSON for Kubernetes clients, Server-Sent Events for browsers
 * (`Accept: text/event-stream`), which resume by themselves with the id of the last event they saw.
 */
import * as Request from "../ApiRequest.js"
import { jsonHeaders } from "../ApiResponse.js"

/** One way to frame events. Lines are JSON with a newline at the end. */
export interface WatchFraming {
  readonly headers: Readonly<Record<string, string>>
  /** One event. Its revision is absent where a client that saw it cannot go on after it: the current state is not in order. */
  readonly event: (line: Uint8Array, revision: number | undefined) => Uint8Array
  /** What is sent while nothing happens; `revision` is where a client may go on. Undefined: nothing. */
  readonly idle: ((revision: number) => Uint8Array) | undefined
  /** The event that ends a watch. */
  readonly failure: (line: Uint8Array) => Uint8Array
}

/** One JSON object per line. */
export const jsonLines: WatchFraming = {
  headers: jsonHeaders,
  event: (line) => line,
  idle: undefined,
  failure: (line) => line
}

const encoder = new TextEncoder()
const data = encoder.encode("data: ")
const newline = encoder.encode("\n")

/** Server-Sent Events; an event without data only moves the place to go on from. */
export const serverSentEvents: WatchFraming = {
  headers: { "content-type": "text/event-stream", "cache-control": "no-cache, private", "x-accel-buffering": "no" },
  event: (line, revision) =>
    revision === undefined
      ? Buffer.concat([data, line, newline])
      : Buffer.concat([encoder.encode(`id: ${revision}\n`), data, line, newline]),
  idle: (revision) => encoder.encode(`: keep-alive\nid: ${revision}\n\n`),
  // An empty id makes the client begin anew, instead of asking for the lost place again and again.
  failure: (line) => Buffer.concat([encoder.encode("id\n"), data, line, newline])
}

/** Whether a client wants Server-Sent Events. */
export const wantsEvents = (request: Request.ApiRequest): boolean =>
  (Request.header(request, "accept") ?? "").includes("text/event-stream")

/** The framing that a client asks for. */
export const framingOf = (request: Request.ApiRequest): WatchFraming =>
  wantsEvents(request) ? serverSentEvents : jsonLines

/** The revision of the last event that a reconnecting client saw. */
export const lastEventOf = (request: Request.ApiRequest): number | undefined => {
  const text = Request.header(request, "last-event-id")
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}
