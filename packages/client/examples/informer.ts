import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi, Informer, ObjectRef, WorkQueue } from "@reddwarf/client"
import { Console, Effect } from "effect"

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const queue = yield* WorkQueue.make<string>({ name: "example" })
  const informer = yield* Informer.make({
    kind: Kinds.configMap,
    indexers: { team: (object) => (object.data?.["team"] === undefined ? [] : [object.data["team"]]) }
  })

  // Events carry nothing but the hint that a key is worth a look.
  informer.onChange((event) => queue.unsafeAdd(ObjectRef.keyOf(event.object)))
  yield* informer.hasSynced

  yield* client.create(Kinds.configMap, { metadata: { namespace: "default", name: "a" }, data: { team: "red" } })
  yield* client.create(Kinds.configMap, { metadata: { namespace: "default", name: "b" }, data: { team: "red" } })
  yield* client.delete(Kinds.configMap, { namespace: "default", name: "a" })

  const seen = new Set<string>()
  while (!seen.has("default/a") || !seen.has("default/b") || informer.get("default/a") !== undefined) {
    const key = yield* queue.take
    yield* Console.log(`${key} ${informer.get(key) === undefined ? "is gone" : "is there"}`)
    yield* queue.done(key)
    seen.add(key)
  }
  yield* Console.log(informer.byIndex("team", "red").map((object) => object.metadata.name))
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(FakeApi.layer())))
