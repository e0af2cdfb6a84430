import { Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi, LeaderElection } from "@reddwarf/client"
import { Console, Effect } from "effect"

const work = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const namespace = yield* client.get(Kinds.namespace, { name: "default" })
  for (let times = 0; times < 3; times++) yield* recorder.event(namespace, "Normal", "Visited", "The leader came by")
})

const candidate = work.pipe(
  // When this scope closes, what the recorder still holds is written.
  Effect.provide(EventRecorder.layer({ component: "example" })),
  LeaderElection.run({ namespace: "kube-system", name: "example", identity: "host-1" })
)

const program = Effect.gen(function*() {
  yield* candidate
  const server = yield* FakeApi.FakeApi
  for (const { count, message, reason } of server.list(Kinds.event)) yield* Console.log(`${reason} (${count} times): ${message}`)
  const lease = server.get(Kinds.lease, { namespace: "kube-system", name: "example" })
  yield* Console.log(`the lease is ${lease?.spec?.holderIdentity === "" ? "free again" : "held"}`)
})

await Effect.runPromise(program.pipe(Effect.provide(FakeApi.layer())))
