/** The one writer of a store: takes writers from the line in groups, and commits, publishes and answers each group as one. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Change, ChangeListener, Committed } from "../ObjectStore.js"
import { StoreError } from "../StoreError.js"
import * as StoreMetrics from "../StoreMetrics.js"
import type { Backend, IndexEntry, Recovered } from "./backend.js"
import { BackendFault } from "./backend.js"
import type { Request, WriteQueue } from "./writeQueue.js"

/** State shared with the readers; changed by the commit loop and by compaction alone. */
export interface State {
  readonly index: Map<string, IndexEntry>
  revision: number
  compacted: number
  failure: BackendFault | undefined
}

/** One subscriber of the change feed; an object, so that one listener may subscribe twice. */
export interface Subscription {
  readonly listener: ChangeListener
}

export interface CommitOptions {
  readonly groupSize: number
  readonly groupBytes: number
  readonly maxObjectBytes: number
  /** Lets everyone who is ready get in line. */
  readonly gather: Effect.Effect<void>
}

export const initialState = (recovered: Recovered): State => ({ ...recovered, failure: undefined })

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

/** Stops all further writes, unless the fault is one that passes. */
export const stopAfter = (state: State, queue: WriteQueue, fault: unknown): void => {
  StoreMetrics.failures.unsafeUpdate(1, [])
  if (fault instanceof BackendFault && fault.reason === "NoSpace") return
  state.failure = fault instanceof BackendFault ? fault : new BackendFault("Failed", String(fault), fault)
  StoreMetrics.failed.unsafeUpdate(1, [])
  queue.refuseAll(failedBefore(state.failure))
}

/** A group on its way: what will be stored, and what will be said to whom. */
interface Group {
  readonly requests: ReadonlyArray<Request>
  readonly changes: ReadonlyArray<Change>
  readonly answers: ReadonlyArray<() => void>
}

/** How `index` will look after the changes that were planned so far. */
const overlay = (index: ReadonlyMap<string, IndexEntry>) => {
  const planned = new Map<string, IndexEntry | undefined>()
  return {
    get: (key: string) => planned.has(key) ? planned.get(key) : index.get(key),
    apply: (change: Change) => planned.set(change.key, change.type === "delete" ? undefined : change)
  }
}

const tooLarge = (request: Request, size: number, limit: number) =>
  new StoreError({
    operation: request.type,
    reason: "TooLarge",
    detail: `object ${request.key} has ${size} bytes, at most ${limit} are accepted: split it`
  })

/**
 * Checks the first writers in line against the index and against each other and encodes what they want. Leaves the queue
 * as it is. Plain code: this and `commit` run once per group with nothing in between.
 */
const plan = (state: State, waiting: ReadonlyArray<Request>, options: CommitOptions): Group => {
  const current = overlay(state.index)
  const changes: Array<Change> = []
  const answers: Array<() => void> = []
  let bytes = 0
  let taken = 0
  for (const request of waiting) {
    if (taken === options.groupSize || bytes >= options.groupBytes) break
    taken++
    const before = current.get(request.key)
    const refusal = request.refusal(before)
    if (refusal !== undefined) {
      answers.push(refusal)
      continue
    }
    const revision = state.revision + changes.length + 1
    let encoded
    let size
    try {
      encoded = request.encode(revision)
      size = encoded.bytes.length
    } catch (defect) {
      answers.push(() => request.died(defect))
      continue
    }
    if (size > options.maxObjectBytes) {
      const error = tooLarge(request, size, options.maxObjectBytes)
      answers.push(() => request.failed(error))
      continue
    }
    const version: Committed = {
      key: request.key,
      revision,
      createRevision: before?.createRevision ?? revision,
      bytes: encoded.bytes,
      ...(encoded.object === undefined ? {} : { object: encoded.object })
    }
    const change: Change = { ...version, type: request.type, ...(before === undefined ? {} : { previousRevision: before.revision }) }
    bytes += size
    current.apply(change)
    changes.push(change)
    answers.push(() => request.committed(version))
  }
  return { requests: waiting.slice(0, taken), changes, answers }
}

const apply = (state: State, changes: ReadonlyArray<Change>): void => {
  for (const { key, type, revision, createRevision } of changes) {
    if (type === "delete") state.index.delete(key)
    else state.index.set(key, { revision, createRevision })
    state.revision = revision
  }
}

const observe = (state: State, group: Group, seconds: number): void => {
  StoreMetrics.writes.unsafeUpdate(group.changes.length, [])
  StoreMetrics.refused.unsafeUpdate(group.answers.length - group.changes.length, [])
  if (group.changes.length === 0) return
  StoreMetrics.groupSize.unsafeUpdate(group.changes.length, [])
  StoreMetrics.commitSeconds.unsafeUpdate(seconds, [])
  StoreMetrics.revision.unsafeUpdate(state.revision, [])
  StoreMetrics.objects.unsafeUpdate(state.index.size, [])
}

/** Shows a group to all listeners. A listener that throws must not keep the others from it; its defect is returned. */
const publish = (subscriptions: ReadonlySet<Subscription>, changes: ReadonlyArray<Change>): ReadonlyArray<unknown> => {
  const defects: Array<unknown> = []
  for (const { listener } of subscriptions) {
    try {
      listener(changes)
    } catch (defect) {
      StoreMetrics.listenerFaults.unsafeUpdate(1, [])
      defects.push(defect)
    }
  }
  return defects
}

/** Milliseconds that the whole line may still wait for company; 0 when somebody may not, or when a group is full. */
const patience = (waiting: ReadonlyArray<Request>, groupSize: number, now: number): number =>
  waiting.length >= groupSize ? 0 : waiting.reduce((least, request) => Math.min(least, Math.max(0, request.deadline - now)), Infinity)

/** Commits in the background until the scope closes; then refuses whoever is still in line. */
export const run = Effect.fnUntraced(function*(
  backend: Backend,
  state: State,
  queue: WriteQueue,
  subscriptions: ReadonlySet<Subscription>,
  options: CommitOptions
) {
  const clock = yield* Clock.clockWith(Effect.succeed)

  const commit = Effect.suspend(() => {
    const started = clock.unsafeCurrentTimeNanos()
    const group = plan(state, queue.waiting, options)
    queue.waiting.splice(0, group.requests.length)
    try {
      if (group.changes.length > 0) backend.append(group.changes)
    } catch (fault) {
      // Also those who would have been refused: a refusal may rest on a change that did not happen.
      for (const request of group.requests) request.failed(toStoreError(request.type, fault))
      stopAfter(state, queue, fault)
      return Effect.logError("transaction failed", fault)
    }
    apply(state, group.changes)
    observe(state, group, Number(clock.unsafeCurrentTimeNanos() - started) / 1e9)
    const defects = group.changes.length > 0 ? publish(subscriptions, group.changes) : []
    for (const answer of group.answers) answer()
    return Effect.forEach(defects, (defect) => Effect.logError("a change listener threw", defect), { discard: true })
  })

  const turn = Effect.suspend(() => {
    const wait = patience(queue.waiting, options.groupSize, clock.unsafeCurrentTimeMillis())
    if (wait === 0) return commit
    queue.arrival.unsafeClose()
    return Effect.timeoutOption(queue.arrival.await, wait)
  })

  const drain = Effect.whileLoop({
    while: () => queue.waiting.length > 0,
    body: () => Effect.zipRight(options.gather, turn),
    step: () => {}
  })

  yield* Effect.addFinalizer(() =>
    Effect.sync(() =>
      queue.refuseAll((operation) =>
        new StoreError({ operation, reason: "Closed", detail: "the store is shutting down: retry against its successor" })
      )
    )
  )
  yield* queue.arrival.await.pipe(
    Effect.zipRight(Effect.sync(() => queue.arrival.unsafeClose())),
    Effect.zipRight(drain),
    Effect.forever,
    Effect.forkScoped
  )
})
