// Writers with different errors stand in one line, and each is answered with errors of its own check only.
// @effect-diagnostics anyUnknownInErrorContext:off
/**
 * The one writer of a store: takes writers from the line in groups, and commits, publishes and answers each group as one.
 * Plain code throughout: it is the path of every write.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Direct from "../Direct.js"
import type { Change, ChangeListener, Committed } from "../ObjectStore.js"
import { StoreError } from "../StoreError.js"
import * as StoreMetrics from "../StoreMetrics.js"
import type { Backend } from "./backend.js"
import { BackendFault } from "./backend.js"
import type { VersionIndex } from "./versionIndex.js"
import { VersionRecord } from "./versionIndex.js"
import type { Intent, Request } from "./writeQueue.js"
import * as Queue from "./writeQueue.js"

/** State shared with the readers; changed by commits and by compaction alone. */
export interface State {
  readonly index: VersionIndex
  revision: number
  compacted: number
  failure: BackendFault | undefined
}

/** One subscriber of the change feed; an object, so that one listener may subscribe twice. */
export interface Subscription {
  readonly listener: ChangeListener
}

export interface CommitOptions {
  readonly queueCapacity: number
  readonly groupSize: number
  readonly groupBytes: number
  readonly maxObjectBytes: number
  /** Calls `run` after everyone who is ready could get in line. */
  readonly defer: (run: () => void) => void
  /** Versions keep their bytes in memory: there is no other place. */
  readonly inMemory: boolean
}

/** The error that a writer or reader is given for a fault of the backend. */
export const toStoreError = (operation: string, fault: unknown): StoreError =>
  fault instanceof BackendFault
    ? new StoreError({ operation, reason: fault.reason, detail: fault.message, cause: fault.cause })
    : new StoreError({ operation, reason: "Failed", detail: String(fault), cause: fault })

/** The error of a store that has given up. */
export const failedBefore = (failure: BackendFault) => (operation: string): StoreError =>
  new StoreError({
    operation,
    reason: "Failed",
    detail: `writes were stopped after a fault (${failure.message}): repair its cause and restart`,
    cause: failure.cause
  })

const tooLarge = (intent: Intent<unknown>, size: number, limit: number) =>
  new StoreError({
    operation: intent.type,
    reason: "TooLarge",
    detail: `object ${intent.key} has ${size} bytes, at most ${limit} are accepted: split it`
  })

export interface Committer {
  /** In line for the next durable group. */
  readonly submit: <E>(intent: Intent<E>) => Effect.Effect<Committed, E | StoreError>
  /** Commits at once, without the backend. `prepare` runs once the write is certain, before it has its revision. */
  readonly immediate: <E>(intent: Intent<E>, prepare: () => void, done: (record: VersionRecord) => void) => Effect.Effect<Committed, E | StoreError>
  /** Stops all further writes, unless the fault is one that passes. */
  readonly stopAfter: (fault: unknown) => void
}

/** The version that `intent` makes as `revision`, or the answer to its writer when it makes none. */
const encoded = <E>(
  intent: Intent<E>,
  current: VersionRecord | undefined,
  revision: number,
  maxObjectBytes: number
): { readonly change: Change } | { readonly refusal: Exit.Exit<never, E | StoreError> } => {
  const refusal = intent.check(current)
  if (refusal !== undefined) return { refusal: Exit.fail(refusal) }
  let content
  let size
  try {
    content = intent.encode(revision)
    size = content.bytes.length
  } catch (defect) {
    return { refusal: Exit.die(defect) }
  }
  if (size > maxObjectBytes) return { refusal: Exit.fail(tooLarge(intent, size, maxObjectBytes)) }
  return {
    change: {
      type: intent.type,
      key: intent.key,
      revision,
      createRevision: current?.createRevision ?? revision,
      bytes: content.bytes,
      ...(content.object === undefined ? {} : { object: content.object }),
      ...(current === undefined ? {} : { previousRevision: current.revision }),
      ...(intent.origin === undefined ? {} : { origin: intent.origin })
    }
  }
}

/** Keeps `inMemory` what is not in the backend. */
const toRecord = (change: Change, inMemory: boolean): VersionRecord =>
  new VersionRecord(
    change.key,
    change.type,
    change.revision,
    change.createRevision,
    change.previousRevision,
    inMemory ? change.bytes : undefined,
    inMemory ? change.origin : undefined
  )

/** Commits until the scope closes; then refuses whoever is still in line. */
export const make = Effect.fnUntraced(function*(
  backend: Backend,
  state: State,
  subscriptions: ReadonlySet<Subscription>,
  options: CommitOptions
) {
  const clock = yield* Clock.clockWith(Effect.succeed)
  const runtime = yield* Effect.runtime()
  const log = (effect: Effect.Effect<void>): void => void Runtime.runFork(runtime)(effect)
  const { index } = state
  let scheduled = false
  let refusing: ((operation: string) => StoreError) | undefined

  /** Shows a group to all listeners. A listener that throws must not keep the others from it. */
  const publish = (changes: ReadonlyArray<Change>): void => {
    for (const { listener } of subscriptions) {
      try {
        listener(changes)
      } catch (defect) {
        StoreMetrics.listenerFaults.unsafeUpdate(1, [])
        log(Effect.logError("a change listener threw", defect))
      }
    }
  }

  /** Tells a writer. One that throws must not keep the others from their answers. */
  const answer = (request: Request, exit: Exit.Exit<Committed, unknown>): void => {
    try {
      request.answer(exit)
    } catch (defect) {
      log(Effect.logError("a writer threw when it was answered", defect))
    }
  }

  /** From now on, answers everyone with an error. */
  const refuseAll = (error: (operation: string) => StoreError): void => {
    refusing = error
    for (const request of queue.close()) answer(request, Exit.fail(error(request.type)))
  }

  const stopAfter = (fault: unknown): void => {
    StoreMetrics.failures.unsafeUpdate(1, [])
    if (fault instanceof BackendFault && fault.reason === "NoSpace") return
    state.failure = fault instanceof BackendFault ? fault : new BackendFault("Failed", String(fault), fault)
    StoreMetrics.failed.unsafeUpdate(1, [])
    refuseAll(failedBefore(state.failure))
  }

  const observe = (writes: number, refused: number): void => {
    if (writes > 0) StoreMetrics.writes.unsafeUpdate(writes, [])
    if (refused > 0) StoreMetrics.refused.unsafeUpdate(refused, [])
    StoreMetrics.revision.unsafeUpdate(state.revision, [])
    StoreMetrics.objects.unsafeUpdate(index.size(), [])
  }

  /** Checks the first writers in line against the index and against each other, and encodes what they want. */
  const plan = () => {
    // How the index will look after the changes that were planned so far.
    const planned = new Map<string, VersionRecord>()
    const records: Array<VersionRecord> = []
    const changes: Array<Change> = []
    const answers: Array<Exit.Exit<Committed, unknown>> = []
    let bytes = 0
    for (const request of queue.waiting) {
      if (answers.length === options.groupSize || bytes >= options.groupBytes) break
      const before = planned.get(request.key) ?? index.current(request.key)
      const current = before?.type === "delete" ? undefined : before
      const result = encoded(request, current, state.revision + changes.length + 1, options.maxObjectBytes)
      if ("refusal" in result) {
        answers.push(result.refusal)
        continue
      }
      const { change } = result
      const record = toRecord(change, options.inMemory)
      planned.set(change.key, record)
      records.push(record)
      changes.push(change)
      answers.push(Exit.succeed(change))
      bytes += change.bytes.length
    }
    return { records, changes, answers }
  }

  const commit = (): void => {
    const started = clock.unsafeCurrentTimeNanos()
    const { answers, changes, records } = plan()
    const requests = queue.waiting.slice(0, answers.length)
    queue.remove(answers.length)
    try {
      if (changes.length > 0) backend.append(changes, state.revision)
    } catch (fault) {
      // Also those who would have been refused: a refusal may rest on a change that did not happen.
      for (const request of requests) answer(request, Exit.fail(toStoreError(request.type, fault)))
      stopAfter(fault)
      log(Effect.logError("transaction failed", fault))
      return
    }
    for (const record of records) index.append(record)
    state.revision += changes.length
    if (changes.length > 0) {
      StoreMetrics.groupSize.unsafeUpdate(changes.length, [])
      StoreMetrics.commitSeconds.unsafeUpdate(Number(clock.unsafeCurrentTimeNanos() - started) / 1e9, [])
    }
    observe(changes.length, answers.length - changes.length)
    if (changes.length > 0) publish(changes)
    let next = 0
    for (const exit of answers) {
      const request = requests[next++]
      if (request !== undefined) answer(request, exit)
    }
  }

  const turn = (): void => {
    scheduled = false
    if (queue.waiting.length > 0) commit()
    schedule()
  }

  const schedule = (): void => {
    if (scheduled || queue.waiting.length === 0) return
    scheduled = true
    options.defer(turn)
  }

  const queue = Queue.make(options.queueCapacity, schedule)

  const submit: Committer["submit"] = <E>(intent: Intent<E>) =>
    Direct.make<Committed, E | StoreError>((done) => {
      if (refusing !== undefined) {
        done(Exit.fail(refusing(intent.type)))
        return () => {}
      }
      // `check` makes the only errors of type E that a request is answered with.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a queue of requests cannot say the error of each one
      return queue.enter({ ...intent, answer: (exit) => done(exit as Exit.Exit<Committed, E | StoreError>) })
    })

  const commitNow = <E>(intent: Intent<E>, prepare: () => void, done: (record: VersionRecord) => void): Exit.Exit<Committed, E | StoreError> => {
    if (refusing !== undefined) return Exit.fail(refusing(intent.type))
    try {
      prepare()
    } catch (fault) {
      stopAfter(fault)
      return Exit.fail(toStoreError(intent.type, fault))
    }
    const result = encoded(intent, index.current(intent.key), state.revision + 1, options.maxObjectBytes)
    if ("refusal" in result) {
      observe(0, 1)
      return result.refusal
    }
    const { change } = result
    const record = toRecord(change, true)
    index.append(record)
    state.revision = change.revision
    done(record)
    observe(1, 0)
    publish([change])
    return Exit.succeed(change)
  }

  const immediate: Committer["immediate"] = (intent, prepare, done) => Direct.suspend(() => commitNow(intent, prepare, done))

  yield* Effect.addFinalizer(() =>
    Effect.sync(() =>
      refuseAll((operation) =>
        new StoreError({ operation, reason: "Closed", detail: "the store is shutting down: retry against its successor" })
      )
    )
  )
  const committer: Committer = { submit, immediate, stopAfter }
  return committer
})
