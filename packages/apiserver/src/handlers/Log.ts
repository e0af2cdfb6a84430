/** GET of `pods/<name>/log`: handed through from the agent of the pod's node. */
import { FieldError, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { ApiResponse, Sink } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as failures from "../internal/failures.js"
import * as logPieces from "../internal/logPieces.js"
import { keyOf } from "../internal/keys.js"
import { addressOf, containerOf, nodeNameOf } from "../internal/podTarget.js"
import { type KubeletResponse, KubeletUnreachable, type NodeAddress } from "../KubeletClient.js"

// Handed on to the agent; `container` is part of the path there.
const passed = ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"]

const numbers = [
  { name: "tailLines", least: 0 },
  { name: "sinceSeconds", least: 1 },
  { name: "limitBytes", least: 1 }
]

const checkNumber = (query: URLSearchParams, name: string, least: number): ReadonlyArray<FieldError.FieldError> => {
  const text = query.get(name)
  if (text === null || text === "") return []
  const detail = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0"
  if (!/^-?\d{1,15}$/.test(text)) return [FieldError.invalid(name, text, "must be a number")]
  return Number(text) >= least ? [] : [FieldError.invalid(name, Number(text), detail)]
}

const checkOptions = (query: URLSearchParams, name: string): Either.Either<void, Status.Status> => {
  const errors = numbers.flatMap((rule) => checkNumber(query, rule.name, rule.least))
  if (query.has("sinceSeconds") && query.has("sinceTime")) {
    errors.push(FieldError.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
  }
  return errors.length === 0
    ? Either.void
    : Either.left(Status.invalid({ group: "", kind: "PodLogOptions" }, name, errors))
}

/** Whether a log goes on when its agent is started anew: what is bounded has to end somewhere. */
const isResumable = ({ info: { query } }: ResourceRequest): boolean =>
  ["true", "1", ""].includes(query.get("follow") ?? "false") && (query.get("limitBytes") ?? "") === ""

/** `from`: the place where reading goes on; what was wanted of what is before it counts no more. */
const pathOf = (call: ResourceRequest, pod: string, container: string, from?: string): string => {
  const { query } = call.info
  const parameters = new URLSearchParams()
  for (const name of from === undefined ? passed : ["follow", "timestamps", "stream"]) {
    const value = query.get(name)
    if (value !== null) parameters.set(name, value)
  }
  if (isResumable(call)) parameters.set("pieces", "true")
  if (from !== undefined) parameters.set("from", from)
  const segments = [call.info.namespace ?? "", pod, container].map(encodeURIComponent).join("/")
  return `/containerLogs/${segments}${parameters.size === 0 ? "" : `?${parameters.toString()}`}`
}

// What an agent says about its refusal; more than this is not worth showing.
const maxMessage = 8192

const messageOf = ({ next }: KubeletResponse): Effect.Effect<string, KubeletUnreachable> => {
  const take = (sofar: string): Effect.Effect<string, KubeletUnreachable> =>
    Effect.flatMap(next, (chunk) =>
      chunk === undefined || sofar.length > maxMessage
        ? Effect.succeed(sofar.slice(0, maxMessage).trim())
        : take(sofar + new TextDecoder().decode(chunk)))
  return take("")
}

const reasons: Readonly<Record<number, string>> = { 400: "BadRequest", 403: "Forbidden", 404: "NotFound" }

const copy = (response: KubeletResponse, sink: Sink): Effect.Effect<void> =>
  response.pump(sink, (chunk) => sink.write(chunk) ? "more" : "full").pipe(
    // The status line is long sent: all that can be done is to end the text there.
    Effect.catchAll((error) => Effect.logWarning("a log ended early", error)),
    Effect.asVoid
  )

/** How long an agent may be away until a followed log ends. */
const patience = "2 minutes"

/** How long after the end of an agent the next one is asked, and how often. */
const pause = "250 millis"

/**
 * Copies a log in pieces. When its agent goes before the log is over, the next one is asked to go on where this one ended: nothing is lost
 * and nothing comes twice. `again` asks it, and gives nothing when nobody needs to be asked any more.
 */
const copyPieces = (
  first: KubeletResponse,
  sink: Sink,
  again: (place: string | undefined) => Effect.Effect<KubeletResponse | undefined, KubeletUnreachable, Scope.Scope>
): Effect.Effect<void> => {
  let progress: logPieces.Progress | undefined
  /** Whether the log is over; else it was cut off. */
  const read = (response: KubeletResponse): Effect.Effect<boolean> => {
    const reader = logPieces.reader(progress)
    let isOver = false
    return response.pump(sink, (chunk) => {
      const taken = reader.push(chunk)
      if (taken === undefined) return "over"
      progress = reader.progress() ?? progress
      let isFull = false
      for (const bytes of taken.bytes) if (!sink.write(bytes)) isFull = true
      isOver = taken.ended
      return isOver ? "over" : isFull ? "full" : "more"
    }).pipe(
      Effect.map(() => isOver),
      Effect.orElseSucceed(() => false)
    )
  }
  const resumed = Effect.suspend(() => again(progress?.place)).pipe(
    Effect.retry(Schedule.spaced(pause)),
    Effect.timeoutTo({ duration: patience, onSuccess: (response) => response, onTimeout: () => undefined }),
    Effect.flatMap((response) => response === undefined || response.contentType !== logPieces.contentType ? Effect.succeed(true) : read(response)),
    Effect.orElseSucceed(() => true),
    Effect.scoped,
    Effect.delay(pause)
  )
  return Effect.flatMap(read(first), (over) => over ? Effect.void : Effect.asVoid(Effect.repeat(resumed, { until: (over) => over })))
}

const uidOf = ({ context, info, kind }: ResourceRequest, name: string): string | undefined => {
  const entry = context.cache.get(keyOf(kind, info.namespace, name))
  return entry === undefined ? undefined : objectOf(entry).metadata.uid
}

const proxy = (call: ResourceRequest, node: NodeAddress, pod: string, container: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const close = Scope.close(scope, Exit.void)
      const failed = (error: KubeletUnreachable) => Status.internalError(error.message)
      return yield* restore(
        Effect.gen(function*() {
          const uid = uidOf(call, pod)
          const response = yield* call.context.kubelet.get(node, pathOf(call, pod, container))
          if (response.status < 400) {
            const headers = { "content-type": "text/plain", "cache-control": "no-cache, private" }
            const again = (place: string | undefined) =>
              Effect.gen(function*() {
                // A pod that is gone has no log, and another one of its name has another one.
                if (uidOf(call, pod) !== uid) return undefined
                const address = yield* Effect.orElseSucceed(addressOf(call.context, node.node), () => node)
                const response = yield* call.context.kubelet.get(address, pathOf(call, pod, container, place))
                // An agent that has just begun does not know its pods yet.
                return response.status < 400 ? response : yield* new KubeletUnreachable({ node: node.node, url: "", detail: `it answers ${response.status}` })
              })
            return Response.stream(
              response.status,
              headers,
              true,
              (sink) => response.contentType === logPieces.contentType ? copyPieces(response, sink, again) : copy(response, sink),
              close
            )
          }
          const message = yield* messageOf(response)
          return yield* Effect.fail(
            response.status >= 500
              ? Status.internalError(message)
              : Status.failure(response.status, reasons[response.status] ?? "", message)
          )
        }).pipe(Scope.extend(scope), Effect.mapError((error) => "_tag" in error ? failed(error) : error))
      ).pipe(Effect.onError(() => close))
    })
  )

/** Answers a log request. A pod that no node has yet has an empty log (204). @category combinators */
export const log = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind } = call
    const entry = context.cache.get(keyOf(kind, info.namespace, name))
    if (entry === undefined) return yield* Effect.fail(failures.missing(kind, name))
    const pod = objectOf(entry)
    yield* checkOptions(info.query, name)
    const container = yield* containerOf(pod, info.query.get("container"))
    const node = nodeNameOf(pod)
    if (node === undefined) return { status: 204, headers: {}, body: Response.emptyBody }
    return yield* proxy(call, yield* addressOf(context, node), name, container)
  })
