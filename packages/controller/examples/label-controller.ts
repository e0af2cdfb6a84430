import { Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, FakeApi, Informer } from "@reddwarf/client"
import { Controller, Reconciler } from "@reddwarf/controller"
import { Console, Effect } from "effect"

/** Gives every ConfigMap a label that says how many entries it has. */
const countEntries = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const configMaps = yield* Informer.make({ kind: Kinds.configMap })
  yield* Controller.run({
    name: "count-entries",
    sources: [Controller.source(configMaps, (object) => [`${object.metadata.namespace}/${object.metadata.name}`])],
    isRoutine: ClientError.isConflict,
    reconcile: (key: string) =>
      Effect.gen(function*() {
        const object = configMaps.get(key)
        const entries = String(Object.keys(object?.data ?? {}).length)
        // Nothing is written when nothing would change, or the controller would wake itself for ever.
        if (object === undefined || object.metadata.labels?.["entries"] === entries) return Reconciler.Outcome.Settled()
        const { name = "", namespace, resourceVersion } = object.metadata
        yield* client.patch(Kinds.configMap, { namespace, name }, { metadata: { resourceVersion, labels: { entries } } })
        return Reconciler.Outcome.Settled()
      })
  })
  return configMaps
})

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const configMaps = yield* countEntries
  yield* client.create(Kinds.configMap, { metadata: { namespace: "default", name: "a" }, data: { x: "1", y: "2" } })
  const labelled = Effect.sync(() => configMaps.get("default/a")?.metadata.labels?.["entries"])
  const entries = yield* Effect.repeat(Effect.zipLeft(labelled, Effect.sleep("5 millis")), { until: (value) => value !== undefined })
  yield* Console.log(`default/a has ${entries} entries`)
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(FakeApi.layer())))
