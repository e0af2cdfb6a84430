/** GET of a collection as a stream of changes. */
import { Status } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
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
import * as WatchStream from "../WatchStream.js"

/** What one watch is: its events, its sink and where it stands. */
interface Session {
  readonly call: ResourceRequest
  readonly options: listOptions.ListOptions
  readonly selection: selections.Selection
  readonly encoder: WatchStream.EventEncoder
  readonly sink: Sink
}

const initialOf = (options: listOptions.ListOptions): boolean =>
  options.sendInitialEvents ?? (options.resourceVersion === undefined || options.resourceVersion === 0)

const lines = function*(session: Session, events: Iterable<Parameters<WatchStream.EventEncoder["event"]>[0]>) {
  for (const event of events) {
    const encoded = session.encoder.event(event)
    if (encoded !== undefined) yield encoded
  }
}

const open = ({ call, options, selection }: Session) => {
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
  const { call, encoder, options, sink } = session
  let idle = false
  const bookmark = Effect.suspend(() => {
    if (!idle || !options.allowBookmarks) return Effect.void
    return sink.write(encoder.bookmark(watcher.bookmark(), false)) ? Effect.void : sink.drained
  })
  const step = Effect.flatMap(watcher.takeAll, (events) => {
    idle = false
    return Effect.map(chunks.writeAll(sink, lines(session, events)), () => {
      idle = true
    })
  })
  const ticks = Effect.forever(Effect.delay(bookmark, Duration.millis(call.context.bookmarkMillis)))
  const begin = Effect.gen(function*() {
    if (initialOf(options)) yield* step
    if (options.sendInitialEvents === true && options.allowBookmarks) {
      yield* chunks.writeAll(sink, [encoder.bookmark(watcher.startRevision, true)].values())
    }
    idle = true
  })
  const seconds = options.timeoutSeconds ?? 1800 + Math.floor(call.context.random() * 1800)
  const events = Effect.zipRight(begin, Effect.forever(step))
  const both = options.allowBookmarks ? Effect.raceFirst(events, ticks) : events
  return Effect.timeoutOption(both, Duration.seconds(seconds)).pipe(Effect.zipRight(bookmark))
}

const run = (session: Session): Effect.Effect<void> =>
  Effect.scoped(Effect.flatMap(open(session), (watcher) => follow(session, watcher))).pipe(
    Effect.catchAll((error) => {
      const status = error._tag === "WatchExpired" ? Status.expired(error.message) : failures.ofFuture(error)
      return chunks.writeAll(session.sink, [WatchStream.errorLine(status)].values())
    })
  )

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
  const options = parsed.right
  const selection = name === undefined ? fields.right : selections.named(fields.right, name)
  const response = Response.stream(200, Response.jsonHeaders, true, (sink) =>
    run({ call, options, selection, sink, encoder: WatchStream.makeEncoder(call, selection) }))
  const revision = options.resourceVersion ?? 0
  return revision <= call.context.cache.revision()
    ? response
    : Effect.as(failures.awaitRevision(call.context, revision), response)
}
