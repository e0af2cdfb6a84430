/**
 * The own Node object by one watch, for nodes that are asked often. It never answers from what is older than ten seconds while the connection
 * is down: then nothing is known.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import * as https from "node:https"
import * as NodeSource from "./NodeSource.js"

/** What the connection tells, in order. @category models */
export type WatchEvent =
  /** The connection stands; the Node is as of the list before. */
  | { readonly _tag: "Connected" }
  | { readonly _tag: "Node"; readonly answer: NodeSource.NodeAnswer }
  | { readonly _tag: "Disconnected"; readonly detail: string }

/** What a watch knows. @category models */
export interface State {
  readonly answer: NodeSource.NodeAnswer | undefined
  readonly connected: boolean
  /** When the answer was last known to be true, in milliseconds. */
  readonly knownAt: number
  readonly detail: string
}

/** @category constructors */
export const initial: State = { answer: undefined, connected: false, knownAt: 0, detail: "the watch has not begun" }

/** Older knowledge is none, in milliseconds. @category models */
export const maxAgeMillis = 10_000

/** The state after an event at `now`. @category combinators */
export const step = (state: State, event: WatchEvent, now: number): State => {
  if (event._tag === "Connected") return { ...state, connected: true, knownAt: now }
  if (event._tag === "Node") return { ...state, answer: event.answer, knownAt: now }
  return { ...state, connected: false, detail: event.detail, knownAt: state.connected ? now : state.knownAt }
}

/** What is known at `now`. @category combinators */
export const current = (state: State, now: number): NodeSource.NodeAnswer =>
  state.answer === undefined || (!state.connected && now - state.knownAt > maxAgeMillis) ? NodeSource.unavailable(state.detail) : state.answer

const Line = Schema.parseJson(Schema.Union(
  Schema.Struct({ type: Schema.Literal("ADDED", "MODIFIED"), object: NodeSource.NodeView }),
  Schema.Struct({ type: Schema.Literal("DELETED"), object: Schema.Unknown }),
  Schema.Struct({ type: Schema.Literal("BOOKMARK"), object: Schema.Unknown })
))
const decodeLine = Schema.decodeOption(Line)

/** The server ends a watch after so many seconds; one that lasts longer has lost its peer. */
const watchSeconds = 20
const silenceMillis = (watchSeconds + 5) * 1000
/** A Node object is smaller; a line that is longer ends the watch. */
const maxLine = 8 * 1024 * 1024

/** Streams the events of one watch connection until it ends, which it always does. */
const watchOnce = (connection: NodeSource.Connection, nodeName: string, version: string, emit: (event: WatchEvent) => void): Effect.Effect<string> =>
  Effect.async<string>((resume) => {
    const query = new URLSearchParams({
      watch: "true",
      fieldSelector: `metadata.name=${nodeName}`,
      resourceVersion: version,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(watchSeconds)
    })
    const { headers = {}, lookup, tls } = NodeSource.httpOptions(connection)
    const url = `${connection.server}/api/v1/nodes?${query.toString()}`
    const settings = { headers, agent: false, ...(lookup === undefined ? {} : { lookup }) } as const
    const end = (detail: string) => resume(Effect.succeed(detail))
    let request: http.ClientRequest
    try {
      request = url.startsWith("https:") ? https.request(url, { ...settings, ...tls }) : http.request(url, settings)
    } catch (cause) {
      return end(cause instanceof Error ? cause.message : String(cause))
    }
    request.setTimeout(silenceMillis, () => request.destroy(new Error("the watch is silent")))
    request.on("error", (error) => end(error.message))
    request.once("response", (response) => {
      response.on("error", (error) => end(error.message))
      response.once("close", () => end("the watch ended"))
      if (response.statusCode !== 200) {
        response.resume()
        return end(`the API server answers ${response.statusCode ?? 0} to a watch`)
      }
      emit({ _tag: "Connected" })
      let rest = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n")
        rest = lines.pop() ?? ""
        if (rest.length > maxLine) request.destroy(new Error("a line of the watch is too long"))
        for (const line of lines) {
          const event = decodeLine(line)
          // An ERROR, as after a compaction, or what is no event at all: begin anew with a read.
          if (Option.isNone(event)) {
            request.destroy(new Error("the watch answers something that is no event"))
            break
          }
          const { value } = event
          if (value.type === "DELETED") emit({ _tag: "Node", answer: { _tag: "NotFound" } })
          else if (value.type !== "BOOKMARK") emit({ _tag: "Node", answer: { _tag: "Found", node: value.object } })
        }
      })
    })
    request.end()
    return Effect.sync(() => void request.destroy())
  })

/**
 * A source that watches for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (connection: NodeSource.Connection, nodeName: string): Effect.Effect<NodeSource.NodeSource, never, Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const polling = NodeSource.polling(connection, nodeName, 0)
    let state = initial
    const emit = (event: WatchEvent) => {
      state = step(state, event, clock.unsafeCurrentTimeMillis())
    }
    const round = Effect.gen(function*() {
      const answer = yield* Effect.timeoutTo(polling.read, {
        duration: "5 seconds",
        onSuccess: (answer) => answer,
        onTimeout: () => NodeSource.unavailable("no answer in time")
      })
      if (answer._tag === "Unavailable") {
        emit({ _tag: "Disconnected", detail: answer.detail })
        yield* Effect.fail(answer.detail)
      }
      emit({ _tag: "Node", answer })
      const version = answer._tag === "Found" ? answer.node.metadata.resourceVersion ?? "" : ""
      emit({ _tag: "Disconnected", detail: yield* watchOnce(connection, nodeName, version, emit) })
    })
    yield* round.pipe(
      Effect.retry(Schedule.exponential("200 millis").pipe(Schedule.either(Schedule.spaced("2 seconds")), Schedule.jittered)),
      Effect.repeat(Schedule.spaced("100 millis")),
      Effect.forkScoped
    )
    return {
      read: Effect.flatMap(Clock.currentTimeMillis, (now) => {
        // Before the first answer of the watch, ask like everybody else.
        return state.answer === undefined ? polling.read : Effect.succeed(current(state, now))
      })
    }
  })
