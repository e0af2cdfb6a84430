import { Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, FakeApi } from "@reddwarf/client"
import { Console, Effect } from "effect"

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const ref = { namespace: "default", name: "settings" }

  const created = yield* client.create(Kinds.configMap, { metadata: ref, data: { colour: "blue" } })
  yield* client.patch(Kinds.configMap, ref, { data: { colour: "red" } })

  // The version that `created` carries is stale by now, so this write is refused instead of undoing the patch.
  yield* client.update(Kinds.configMap, { ...created, data: { colour: "green" } }).pipe(
    Effect.catchIf(ClientError.isConflict, (conflict) => Console.log(conflict.message))
  )

  const page = yield* client.list(Kinds.configMap, { namespace: "default", labelSelector: "!hidden" })
  for (const { data, metadata } of page.items) yield* Console.log(`${metadata.name}: ${data?.["colour"]}`)
})

await Effect.runPromise(program.pipe(Effect.provide(FakeApi.layer())))
