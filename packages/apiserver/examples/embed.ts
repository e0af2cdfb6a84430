import { ApiServer, KubeletClient, Server, UserInfo } from "@reddwarf/apiserver"
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect, Layer } from "effect"

const admin = UserInfo.authenticated("kubernetes-admin", ["system:masters"])

const call = (method: string, url: string, body?: unknown) =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const response = yield* api.handle({
      method,
      url,
      headers: {},
      body: Effect.succeed(new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body))),
      user: admin
    })
    const text = response.body instanceof Uint8Array ? new TextDecoder().decode(response.body) : "(a stream)"
    return { status: response.status, text }
  })

const program = Effect.gen(function*() {
  const configMaps = "/api/v1/namespaces/default/configmaps"
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "motd" }, data: { text: "hello" } }
  const created = yield* call("POST", configMaps, object)
  yield* Console.log(`created: ${created.status}`)
  const again = yield* call("POST", configMaps, object)
  yield* Console.log(`again: ${again.status} ${JSON.parse(again.text).message}`)
  const list = yield* call("GET", `${configMaps}?fieldSelector=metadata.name%3Dmotd`)
  yield* Console.log(`found: ${JSON.parse(list.text).items.length}`)
})

const live = Server.layerApi().pipe(
  Layer.provide(ObjectStore.layerMemory),
  Layer.provide(KubeletClient.layerUnavailable)
)

await Effect.runPromise(Effect.scoped(Effect.provide(program, live)))
