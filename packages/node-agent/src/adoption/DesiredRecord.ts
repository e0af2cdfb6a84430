/**
 * The pods that the API last wanted here, kept for a start without the API: what crashed is started again, and nothing else. Written a
 * moment after a change, for all changes of that moment together.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds, ObjectCodec } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as ledgerRecord from "../internal/ledgerRecord.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as AdoptionMetrics from "./AdoptionMetrics.js"

const Body = Schema.Struct({
  resourceVersion: Schema.String,
  rewoundAt: Schema.optional(Schema.Number),
  pods: Schema.Array(Schema.Unknown)
})

/** @category models */
export interface Content {
  /** Highest resource version that was seen. */
  readonly resourceVersion: string
  /** Milliseconds since the epoch at which the API's state was found to have gone back; absent when it has not. */
  readonly rewoundAt: number | undefined
  readonly pods: ReadonlyArray<CoreV1.Pod>
}

/** @category models */
export interface DesiredRecord {
  /** What the agent before this one knew; none when there is no record, or none that is good. */
  readonly before: Option.Option<Content>
  /** Whether there was a record and no copy of it was good. */
  readonly wasLost: boolean
  /** Writes soon what `content` gives then. */
  readonly touch: () => void
}

const decodePod = (value: unknown): ReadonlyArray<CoreV1.Pod> =>
  Either.match(ObjectCodec.decode(Kinds.pod, value), { onLeft: () => [], onRight: ({ object }) => [object] })

/** Changes of this long are written together. */
const gather = "500 millis"

/**
 * Reads the record, and writes it for as long as the scope lives; what is not written yet when it closes is written then.
 *
 * @category constructors
 */
export const make = (
  dataDir: string,
  content: () => Content | undefined
): Effect.Effect<DesiredRecord, SupervisorFileFailed, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const record = ledgerRecord.make(`${dataDir}/ledger/source`, 1, Body)
    const found = yield* record.read
    const wasLost = Option.isNone(found.body) && found.problems.length > 0
    if (wasLost) {
      yield* Metric.increment(AdoptionMetrics.ledgerRebuilt)
      yield* Effect.logWarning("the record of the wanted pods is damaged; it is made anew from the API").pipe(Effect.annotateLogs({ problems: found.problems }))
    }
    const dirty = yield* Queue.sliding<void>(1)
    /** Of the pods of a node few have changed each time. */
    const texts = new WeakMap<CoreV1.Pod, string>()
    const textOf = (pod: CoreV1.Pod): string => {
      const text = texts.get(pod) ?? JSON.stringify(pod)
      texts.set(pod, text)
      return text
    }
    let sequence = found.sequence
    let written: { readonly head: string; readonly pods: ReadonlyArray<CoreV1.Pod> } = { head: "", pods: [] }
    const write = Effect.suspend(() => {
      const now = content()
      if (now === undefined) return Effect.void
      const { pods, ...rest } = now
      const head = JSON.stringify(rest).slice(0, -1)
      if (head === written.head && pods.length === written.pods.length && pods.every((pod, index) => pod === written.pods[index])) return Effect.void
      return record.writeText(`${head},"pods":[${pods.map(textOf).join(",")}]}`, ++sequence).pipe(
        Effect.tap(() => Effect.sync(() => void (written = { head, pods }))),
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.catchAll((error) => Effect.logWarning("the record of the wanted pods cannot be written", error))
      )
    })
    yield* Effect.addFinalizer(() => write)
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(dirty), Effect.zipRight(Effect.sleep(gather), Effect.uninterruptible(write)))))
    return {
      before: Option.map(found.body, ({ pods, resourceVersion, rewoundAt }) => ({ resourceVersion, rewoundAt, pods: pods.flatMap(decodePod) })),
      wasLost,
      touch: () => void dirty.unsafeOffer(undefined)
    }
  })
