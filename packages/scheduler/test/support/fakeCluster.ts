/** A scheduler against the in-memory API, with time standing still unless a test moves it. */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, type ClientError, FakeApi } from "@reddwarf/client"
import { Effect, TestClock } from "effect"
import * as waiting from "vitest-config/waiting"

/** Lets everything that is ready run, until a condition holds. */
export const until = <A>(what: string, probe: () => A | undefined | false): Effect.Effect<A> => waiting.until(what, Effect.sync(probe))

export const settle = waiting.settle

/** Moves time in small steps, so that everything that follows from one step happens before the next. */
export const pass = (seconds: number) => Effect.repeatN(Effect.zipRight(settle, TestClock.adjust("1 second")), seconds - 1)

export const createNode = (node: CoreV1.Node): Effect.Effect<CoreV1.Node, ClientError.ClientError, ApiClient.ApiClient> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const created = yield* client.create(Kinds.node, node)
    // New nodes start with the not-ready taint where admission adds it; these are ready.
    const update = { ...created, spec: { ...created.spec, taints: node.spec?.taints ?? [] } }
    const updated = yield* client.update(Kinds.node, update)
    return yield* client.updateStatus(Kinds.node, { ...updated, ...(node.status === undefined ? {} : { status: node.status }) })
  })

export const createPod = (pod: CoreV1.Pod): Effect.Effect<CoreV1.Pod, ClientError.ClientError, ApiClient.ApiClient> =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.pod, pod))

export const stored = (name: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, { namespace: "default", name }))

/** Waits until the pod has a node and gives it. */
export const nodeOf = (name: string) =>
  Effect.flatMap(FakeApi.FakeApi, (api) =>
    until(`${name} is bound`, () => {
      const node = api.get(Kinds.pod, { namespace: "default", name })?.spec?.nodeName ?? ""
      return node === "" ? undefined : node
    }))

/** Waits until the pod has the condition that it was not scheduled and gives it. */
export const refusalOf = (name: string, message?: RegExp) =>
  Effect.flatMap(FakeApi.FakeApi, (api) =>
    until(`${name} is refused`, () =>
      api.get(Kinds.pod, { namespace: "default", name })?.status?.conditions?.find((condition) =>
        condition.type === "PodScheduled" && condition.status === "False" && (message === undefined || message.test(condition.message ?? ""))
      )))

export const events = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list(Kinds.event).filter((event) => event.reason === reason))
