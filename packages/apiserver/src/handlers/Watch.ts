/** GET of a collection as a stream of changes. */
import { Status } from "@reddwarf/api-types"
import type { CacheEvent, WatchCache, WatchExpired } from "@reddwarf/event-bus"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApiResponse, Sink } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as chunks from "../internal/chunks.js"
import * as failures from "../internal/failures.js"
import { prefixOf } from "../internal/keys.js"
import * as listOptions from "../internal/listOptions.js"
import * as render from "../internal/render.js"
import * as selections from "../internal/selection.js"
import * as storedAnswers from "../internal/storedAnswers.js"
import * as framings from "../internal/watchFraming.js"
import * as watchPieces from "../internal/watchPieces.js"
import * as watchPump from "../internal/watchPump.js"
import * as WatchStream from "../WatchStream.js"

/** What one watch is: its events, its sink and where it stands. */
interface Session {
  readonly call: ResourceRequest
  readonly options: listOptions.ListOptions
  readonly selection: selections.Selection
  readonly encoder: WatchStream.EventEncoder
  readonly framing: framings.WatchFraming
  readonly sink: Sink
}

// Proxies let go of connections on which nothing is sent for half a minute.
const keepAliveMillis = 15_000

const initialOf = (options: listOptions.ListOptions): boolean =>
  options.sendInitialEvents ?? (options.resourceVersion === undefined || options.resourceVersion === 0)

/** The lines of the current state. It is not in order: whoever saw one of them cannot go on after it. */
const initialLines = function*({ encoder, framing }: Session, events: Iterable<CacheEvent.CacheEvent>) {
  for (const event of events) {
    const encoded = encoder.event(event)
    if (encoded !== undefined) yield framing.event(encoded, undefined)
  }
}

/** What the events that wait are on the wire; for watches that all see the same it is made once. */
const pieces = ({ call, encoder, framing, selection }: Session): watchPieces.NextPiece => {
  const { accepted, info, kind } = call
  if (framing === framings.jsonLines && accepted.shape === "Object" && selection.everything) {
    return watchPieces.shared(prefixOf(kind, info.namespace), encoder)
  }
  return watchPieces.own((event) => {
    const line = encoder.event(event)
    return line === undefined ? undefined : framing.event(line, event.revision)
  })
}

const open = ({ call, options, selection }: Pick<Session, "call" | "options" | "selection">) => {
  const { context, info, kind } = call
  const initial = initialOf(options)
  const after = options.resourceVersion
  return context.cache.watch({
    prefix: prefixOf(kind, info.namespace ?? selection.exact("metadata.namespace")),
    ...(initial ? { initial } : {}),
    ...(after === undefined || after === 0 ? {} : { after }),
    // Selectors are decided before an event takes up room in the watcher's mailbox.
    ...(selection.everything ? {} : { filter: (event) => WatchStream.classify(event, selection) !== undefined })
  })
}

/** Follows the watcher until it fails. Between takes everything taken has been written, so a bookmark may stand there. */
const follow = (session: Session, watcher: WatchCache.Watcher) => {
  const { call, encoder, framing, options, sink } = session
  let idle = false
  const whenIdle = (make: () => Uint8Array) =>
    Effect.suspend(() => !idle || sink.write(make()) ? Effect.void : sink.drained)
  const mark = (revision: number, endOfInitialEvents: boolean) =>
    framing.event(encoder.bookmark(revision, endOfInitialEvents), revision)
  const bookmark = options.allowBookmarks ? whenIdle(() => mark(watcher.bookmark(), false)) : Effect.void
  const begin = Effect.gen(function*() {
    const { startRevision } = watcher
    if (initialOf(options)) {
      yield* Effect.flatMap(watcher.takeAll, (events) => chunks.writeAll(sink, initialLines(session, events)))
    }
    if (options.sendInitialEvents === true && options.allowBookmarks) {
      yield* chunks.writeAll(sink, [mark(startRevision, true)].values())
    } else if (framing.idle !== undefined) yield* chunks.writeAll(sink, [framing.idle(startRevision)].values())
    idle = true
  })
  const every = (millis: number, effect: Effect.Effect<void>) => Effect.forever(Effect.delay(effect, Duration.millis(millis)))
  const { idle: alive } = framing
  const ticks = [
    ...(options.allowBookmarks ? [every(call.context.bookmarkMillis, bookmark)] : []),
    ...(alive === undefined ? [] : [every(keepAliveMillis, whenIdle(() => alive(watcher.bookmark())))])
  ]
  const seconds = secondsOf(call, options)
  const events = Effect.zipRight(begin, watchPump.pump(watcher, pieces(session), sink))
  const all = ticks.reduce<Effect.Effect<void, WatchExpired.WatchExpired>>((both, tick) => Effect.raceFirst(both, tick), events)
  return Effect.timeoutOption(all, Duration.seconds(seconds)).pipe(Effect.zipRight(bookmark))
}

/** When a watch ends by itself. */
const secondsOf = (call: ResourceRequest, options: listOptions.ListOptions): number =>
  options.timeoutSeconds ?? 1800 + Math.floor(call.context.random() * 1800)

const statusOf = (error: WatchExpired.WatchExpired | WatchExpired.RevisionTooLarge): Status.Status =>
  error._tag === "WatchExpired" ? Status.expired(error.message) : failures.ofFuture(error)

const run = (session: Session): Effect.Effect<void> =>
  Effect.scoped(Effect.flatMap(open(session), (watcher) => follow(session, watcher))).pipe(
    Effect.catchAll((error) => {
      const status = statusOf(error)
      return chunks.writeAll(session.sink, [session.framing.failure(WatchStream.errorLine(status))].values())
    })
  )

/** A browser that reconnects goes on after the last event it saw, whatever its URL says. */
const resumed = (call: ResourceRequest, options: listOptions.ListOptions): listOptions.ListOptions => {
  const last = framings.wantsEvents(call.request) ? framings.lastEventOf(call.request) : undefined
  return last === undefined ? options : { ...options, resourceVersion: last, match: undefined, sendInitialEvents: undefined }
}

/** Answers a watch request; `name` restricts it to one object. @category combinators */
export const watch = (
  call: ResourceRequest,
  name: string | undefined
): ApiResponse | Effect.Effect<ApiResponse, Status.Status> => {
  if (call.accepted.format === "yaml") return render.status(Status.notAcceptable())
  const parsed = listOptions.parse(call.info.query, true)
  if (Either.isLeft(parsed)) return render.status(parsed.left)
  const fields = selections.parse(call.kind, call.info.query)
  if (Either.isLeft(fields)) return render.status(fields.left)
  const framing = framings.framingOf(call.request)
  const options = resumed(call, parsed.right)
  const oldest = call.context.cache.oldestRevision()
  if (framing === framings.serverSentEvents && !initialOf(options) && (options.resourceVersion ?? oldest) < oldest) {
    // Answered with an event, a browser would ask for the same lost place again at once.
    return render.status(Status.tooOldResourceVersion(options.resourceVersion ?? 0, oldest))
  }
  const selection = name === undefined ? fields.right : selections.named(fields.right, name)
  const response = call.request.takesStored === true
    ? storedAnswers.watch({
      call,
      selection,
      open: Effect.mapError(open({ call, options, selection }), statusOf),
      seconds: secondsOf(call, options)
    })
    : Response.stream(200, framing.headers, true, (sink) =>
    run({ call, options, selection, framing, sink, encoder: WatchStream.makeEncoder(call, selection) }))
  const revision = options.resourceVersion ?? 0
  return revision <= call.context.cache.revision()
    ? response
    : Effect.as(failures.awaitRevision(call.context, revision), response)
}
