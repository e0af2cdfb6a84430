import { Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi, Informer } from "@reddwarf/client"
import { ControllerManager } from "@reddwarf/controller"
import { Console, Effect, Layer } from "effect"

/** A node that never says anything is found out after these grace periods; the defaults are 50 and 60 seconds. */
const controllers = ControllerManager.layer({
  node: { nodeMonitorGracePeriod: "200 millis", nodeStartupGracePeriod: "300 millis" }
})

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const nodes = yield* Informer.make({ kind: Kinds.node })
  yield* client.create(Kinds.node, { metadata: { name: "n1" } })
  const taints = Effect.sync(() => (nodes.get("n1")?.spec?.taints ?? []).map((taint) => `${taint.key}:${taint.effect}`))
  const found = yield* Effect.repeat(Effect.zipLeft(taints, Effect.sleep("10 millis")), {
    until: (each) => each.some((taint) => taint.includes("unreachable"))
  })
  yield* Console.log(found)
})

const layer = controllers.pipe(
  Layer.provide(EventRecorder.layer({ component: "controller-manager" })),
  Layer.provideMerge(FakeApi.layer())
)

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(layer)))
