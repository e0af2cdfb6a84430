import { assert, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as h from "./support/harness.js"

const withNode = (body: (folders: h.Directories) => Effect.Effect<void, unknown, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* body(folders).pipe(Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped)

it.live("a pod becomes a zone with a running process, and is deleted within its grace", () =>
  withNode((folders) =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* h.supervisorFiber(folders)
      yield* h.agent(folders)
      yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh("echo hello; while :; do sleep 1; done") }]))
      const pod = yield* h.untilPod("web", "ready", h.isReady)
      assert.strictEqual(pod.status?.phase, "Running")
      assert.match(pod.status?.podIP ?? "", /^10\.88\.0\./)
      yield* h.until("the log", Effect.sync(() => h.logText(folders, pod, "c", 0) === "hello\n" ? true : undefined))
      yield* client.delete(Kinds.pod, { namespace: "default", name: "web" })
      yield* h.until("the pod to go", Effect.map(h.getPod("web"), (pod) => pod === undefined ? true : undefined))
      console.log("gone", new Date())
      assert.deepStrictEqual(yield* h.leftovers(folders), h.nothing)
      console.log("done", new Date())
    })), 30_000)
