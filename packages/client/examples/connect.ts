import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, HttpTransport, KubeConfig } from "@reddwarf/client"
import { Config, Console, Effect, Layer } from "effect"

// Without the environment variable this example ends by saying what is missing.
const file = Config.string("REDDWARF_EXAMPLE_KUBECONFIG").pipe(Config.withDefault("absent.kubeconfig"))

const layer = Layer.unwrapEffect(Effect.gen(function*() {
  const config = yield* KubeConfig.load(yield* file)
  return ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(config, { timeout: "5 seconds" })))
}))

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const { items } = yield* client.list(Kinds.node)
  yield* Console.log(items.map((node) => node.metadata.name))
})

await Effect.runPromise(program.pipe(
  Effect.provide(layer.pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))),
  Effect.catchAll((error) => Console.log(error.message))
))
