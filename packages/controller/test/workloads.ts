/** What the tests of workload controllers share: a world without nodes' agents, and somebody who does their work. */
import { type CoreV1, Kinds, PodPhase, Timestamp } from "@reddwarf/api-types"
import { ApiClient, type ClientError, EventRecorder, FakeApi, ObjectRef, type Transport } from "@reddwarf/client"
import { Clock, Effect, Layer, TestClock } from "effect"

export interface World {
  readonly events: ReadonlyArray<EventRecorder.Recorded>
  readonly layer: Layer.Layer<ApiClient.ApiClient | EventRecorder.EventRecorder | FakeApi.FakeApi | Transport.Transport>
}

type Work = Effect.Effect<void, ClientError.ClientError, ApiClient.ApiClient | FakeApi.FakeApi>

export const world = (): World => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer(), EventRecorder.layerMemory(events)) }
}

export const template = (image: string): CoreV1.PodTemplateSpec => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "main", image }] }
})

export const selector = { matchLabels: { app: "web" } }
export const ref = { namespace: "default", name: "web" }

export const settle = TestClock.adjust("2 seconds")

export const pods = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.pod))
export const activePods = Effect.map(pods, (all) => all.filter((pod) => !PodPhase.isTerminating(pod) && !PodPhase.isTerminal(pod)))

export const imageOf = (pod: CoreV1.Pod): string => pod.spec?.containers[0]?.image ?? ""

/** Reports a phase for a pod, on a node. */
export const become = (pod: CoreV1.Pod, phase: "Running" | "Failed" | "Succeeded", ready: boolean): Effect.Effect<void, ClientError.ClientError, ApiClient.ApiClient> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    if (!PodPhase.isBound(pod)) yield* client.bind(ObjectRef.of(pod), nodeFor(pod))
    const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: Timestamp.secondsFromMillis(yield* Clock.currentTimeMillis) }]
    yield* client.patch(Kinds.pod, ObjectRef.of(pod), { status: { phase, conditions } }, { subresource: "status" })
  })

const nodeFor = (pod: CoreV1.Pod): string =>
  pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? "n1"

const remove = (pod: CoreV1.Pod) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, ObjectRef.of(pod), { gracePeriodSeconds: 0 }))

/** Does what an agent does next for each pod that `chosen` picks: starts it, or ends it when it was told to go. */
export const work = (chosen: (pod: CoreV1.Pod) => boolean = () => true): Work =>
  Effect.gen(function*() {
    for (const pod of (yield* pods).filter(chosen)) {
      if (PodPhase.isTerminating(pod)) yield* remove(pod)
      else if (!PodPhase.isReady(pod) && !PodPhase.isTerminal(pod)) yield* become(pod, "Running", true)
    }
  })

/** Lets agents and controllers work until nothing changes any more, 60 rounds at most. */
export const converge = (check: Effect.Effect<void, never, FakeApi.FakeApi> = Effect.void): Work =>
  Effect.gen(function*() {
    const server = yield* FakeApi.FakeApi
    for (let round = 0, last = -1; round < 60 && last !== server.revision(); round++) {
      last = server.revision()
      yield* work()
      yield* settle
      yield* check
    }
  })
