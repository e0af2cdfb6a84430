import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as h from "./harness.js"
const t0 = Date.now()
const log = (...x: Array<unknown>) => Effect.sync(() => console.log(Date.now() - t0, ...x))
await Effect.runPromise(Effect.gen(function*() {
  const folders = yield* h.directories
  yield* Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* h.supervisorFiber(folders)
      yield* h.agent(folders)
      yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh("echo hello; while :; do sleep 1; done") }]))
      const pod = yield* h.untilPod("web", "ready", h.isReady)
      yield* log("ready")
      yield* h.until("the log", Effect.sync(() => h.logText(folders, pod, "c", 0) === "hello\n" ? true : undefined))
      yield* log("logged")
      yield* client.delete(Kinds.pod, { namespace: "default", name: "web" })
      yield* log("deleted")
      yield* h.until("the pod to go", Effect.map(h.getPod("web"), (pod) => pod === undefined ? true : undefined))
      yield* log("gone")
      yield* log(yield* h.leftovers(folders))
  }).pipe(Effect.provide(h.hostLayer(folders)))
  yield* log("end"); yield* Effect.addFinalizer(() => log("closing"))
}).pipe(Effect.provide(FakeApi.layer()), Effect.scoped) as never); console.log(Date.now() - t0, "closed")
