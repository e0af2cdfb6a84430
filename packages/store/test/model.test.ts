import { assert, describe, it } from "@effect/vitest"
import { Key, ObjectStore } from "@reddwarf/store"
import { Effect, Either, FastCheck, Option } from "effect"
import { body, layers, textOf } from "./support/stores.js"

type Operation =
  | { readonly op: "create" | "update" | "delete"; readonly key: string; readonly offset: number; readonly value: string }
  | { readonly op: "compact"; readonly back: number }
  | { readonly op: "range"; readonly prefix: string; readonly back: number; readonly limit: number }
  | { readonly op: "changes"; readonly back: number; readonly limit: number }

const key = FastCheck.constantFrom("/a/1", "/a/2", "/a-b/1", "/b/\u{ffff}", "/b/\u{1f600}")
const back = FastCheck.integer({ min: -1, max: 12 })
const operation: FastCheck.Arbitrary<Operation> = FastCheck.oneof(
  {
    weight: 8,
    arbitrary: FastCheck.record({
      op: FastCheck.constantFrom("create" as const, "update" as const, "delete" as const),
      key,
      // Mostly the right revision.
      offset: FastCheck.constantFrom(0, 0, 0, 0, 1, -1),
      value: FastCheck.string({ maxLength: 4 })
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ op: FastCheck.constant("compact" as const), back }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      op: FastCheck.constant("range" as const),
      prefix: FastCheck.constantFrom("", "/", "/a/", "/a", "/b/", "/c/"),
      back,
      limit: FastCheck.integer({ min: 1, max: 4 })
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ op: FastCheck.constant("changes" as const), back, limit: FastCheck.integer({ min: 1, max: 20 }) }) }
)

interface Row {
  readonly type: string
  readonly key: string
  readonly revision: number
  readonly text: string
}

/** The store as one would explain it: the list of all that ever happened. */
class Model {
  readonly rows: Array<Row> = []
  compacted = 0

  at(revision: number): ReadonlyArray<Row> {
    const latest = new Map<string, Row>()
    for (const row of this.rows) if (row.revision <= revision) latest.set(row.key, row)
    return [...latest.values()].filter((row) => row.type !== "delete").sort((a, b) => Key.compare(a.key, b.key))
  }

  write(type: "create" | "update" | "delete", key: string, expected: number, value: string): string {
    const current = this.at(this.rows.length).find((row) => row.key === key)
    if (type === "create" && current !== undefined) return "KeyExists"
    if (type !== "create" && current === undefined) return "KeyNotFound"
    if (type !== "create" && current?.revision !== expected) return "RevisionConflict"
    const revision = this.rows.length + 1
    this.rows.push({ type, key, revision, text: `${value}@${revision}` })
    return `ok ${revision}`
  }

  /** What is kept after compaction: later changes, and the state at that revision. */
  changes(after: number): ReadonlyArray<Row> {
    return this.rows.filter((row) => row.revision > after)
  }
}

const outcome = <A extends { readonly revision: number }, E extends { readonly _tag: string }>(write: Effect.Effect<A, E>) =>
  Effect.map(Effect.either(write), Either.match({ onLeft: (error) => error._tag, onRight: ({ revision }) => `ok ${revision}` }))

const step = (store: Effect.Effect.Success<typeof ObjectStore.ObjectStore>, model: Model, operation: Operation) =>
  Effect.gen(function*() {
    const now = model.rows.length
    if (operation.op === "compact") {
      yield* store.compact(now - operation.back)
      model.compacted = Math.max(model.compacted, Math.min(now, now - operation.back))
      assert.strictEqual(yield* store.compactedRevision, model.compacted)
    } else if (operation.op === "range") {
      const revision = now - operation.back
      const pages: Array<string> = []
      let startAfter: string | undefined
      for (let more = true; more;) {
        const page = yield* Effect.either(
          store.range({ prefix: operation.prefix, limit: operation.limit, revision, ...(startAfter === undefined ? {} : { startAfter }) })
        )
        if (Either.isLeft(page)) {
          assert.strictEqual(page.left._tag, revision > now ? "FutureRevision" : "Compacted")
          assert.isTrue(revision > now || revision < model.compacted)
          return
        }
        const expected = model.at(revision).filter((row) => row.key.startsWith(operation.prefix))
        pages.push(...page.right.items.map(textOf))
        assert.strictEqual(page.right.remaining, expected.length - pages.length)
        startAfter = page.right.items.at(-1)?.key
        more = page.right.more
      }
      assert.deepStrictEqual(pages, model.at(revision).filter((row) => row.key.startsWith(operation.prefix)).map((row) => row.text))
    } else if (operation.op === "changes") {
      const after = Math.max(0, now - operation.back)
      const changes = yield* Effect.either(store.changesAfter(after, operation.limit))
      if (Either.isLeft(changes)) {
        assert.isBelow(after, model.compacted)
        return
      }
      assert.deepStrictEqual(
        changes.right.map((change) => ({ type: change.type, key: change.key, revision: change.revision, text: textOf(change) })),
        model.changes(after).slice(0, operation.limit)
      )
    } else {
      const { op, key, value } = operation
      const expected = Option.match(yield* store.get(key), { onNone: () => 1, onSome: (version) => version.revision }) + operation.offset
      const result = op === "create"
        ? yield* outcome(store.create(key, body(value)))
        : yield* outcome(store[op](key, expected, body(value)))
      assert.strictEqual(result, model.write(op, key, expected, value))
    }
  })

describe.each(layers)("%s", (_name, make) => {
  it.effect.prop("does what the list of all that happened says", [FastCheck.array(operation, { maxLength: 60 })], ([operations]) =>
    Effect.gen(function*() {
      const store = yield* ObjectStore.ObjectStore
      const model = new Model()
      for (const operation of operations) yield* step(store, model, operation)
      assert.deepStrictEqual(
        (yield* store.range({ prefix: "" })).items.map((item) => [item.key, item.revision, textOf(item)]),
        model.at(model.rows.length).map((row) => [row.key, row.revision, row.text])
      )
    }).pipe(Effect.provide(make({}))), { fastCheck: { numRuns: 60 } })
})
