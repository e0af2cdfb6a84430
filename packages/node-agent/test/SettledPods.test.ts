/** Which passes over pods are spared, and which never are. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Transport } from "@reddwarf/client"
import { PlanRest, type PodSources, PodWorker, SettledPods, type SupervisorFiles } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import { ZoneName } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const pod: CoreV1.Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "default", uid: "u", resourceVersion: "7" },
  spec: {
    containers: [{ name: "main", env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "a" } } }] }],
    volumes: [{ name: "v", secret: { secretName: "keys" } }, { name: "data", persistentVolumeClaim: { claimName: "data" } }]
  },
  status: { phase: "Running" }
}

const instance: ZoneInstance.ZoneInstance = {
  apiVersion: "reddwarf.io/v1alpha1",
  kind: "ZoneInstance",
  metadata: { name: "a", namespace: "default", uid: "z", resourceVersion: "3" },
  spec: { podUID: "u", nodeName: "n", brand: "lipkg", containers: [], specHash: "h" },
  status: { phase: "Running" }
}

const spec: SupervisorFiles.PodSpec = {
  schema: 1,
  pod: { namespace: "default", name: "a", uid: "u" },
  zone: ZoneName.make("z"),
  restartPolicy: "Always",
  containers: [],
  backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
  logs: { directory: "/logs", maxBytes: 1, maxFiles: 1 },
  desired: { state: "run" }
}

const stateOf = (...phases: ReadonlyArray<SupervisorFiles.ContainerState["phase"]>): SupervisorFiles.PodState => ({
  schema: 1,
  uid: "u",
  containers: phases.map((phase, at) => ({ name: String(at), phase, attempt: 0, exits: [], backOffMillis: 0 }))
})

/** Everything that a pass goes by, to be changed by a test. */
const world = () => ({
  pod,
  instance: instance as ZoneInstance.ZoneInstance | undefined,
  supervised: Option.some({ spec, state: Option.some(stateOf("finished", "running")) }),
  configMap: "1",
  secret: "1",
  tokens: new Map<string, string>(),
  services: 1 as number | undefined,
  upToDate: true,
  claimsAsked: 0,
  isApiThere: true
})

const settledIn = (now: ReturnType<typeof world>) => {
  const object = (resourceVersion: string) =>
    now.isApiThere ? Effect.succeed({ apiVersion: "v1", kind: "", metadata: { resourceVersion } }) : Effect.fail(new Transport.TransportFailure({ method: "GET", path: "", server: "", reason: "Connect", detail: "away" }))
  const remembered: PodSources.Reader = {
    configMap: () => object(now.configMap),
    secret: () => object(now.secret),
    trustBundle: () => Effect.die("nobody asks for it"),
    trustBundles: () => Effect.die("nobody asks for it")
  }
  const asked = () => Effect.suspend(() => Effect.die(`claims were asked for ${String(now.claimsAsked += 1)} times`))
  return SettledPods.make({
    client: { get: asked, list: asked },
    tokens: { obtain: () => Effect.succeed(now.tokens) },
    remembered,
    sandbox: { findAddress: () => Effect.succeedNone },
    services: { version: () => now.services },
    supervisor: { read: () => Effect.succeed(now.supervised) },
    plans: { atRest: () => now.instance },
    upkeep: { isUpToDate: () => now.upToDate }
  })
}

const passed = Effect.succeed(PodWorker.Outcome.Settled())

describe("a pass over a pod", () => {
  it.effect("is spared while all that the last one went by is the same", () =>
    Effect.gen(function*() {
      const now = world()
      const settled = settledIn(now)
      assert.isFalse(yield* settled.isSettled(pod))
      yield* settled.passing(pod, passed)
      assert.isTrue(yield* settled.isSettled({ ...pod }))
      assert.strictEqual(now.claimsAsked, 0)
      settled.forget("u")
      assert.isFalse(yield* settled.isSettled(pod))
    }))

  it.effect("is not spared for ever", () =>
    Effect.gen(function*() {
      const settled = settledIn(world())
      yield* settled.passing(pod, passed)
      let spared = 0
      while (yield* settled.isSettled(pod)) spared += 1
      assert.isAtLeast(spared, 5)
      assert.isAtMost(spared, 10)
    }))

  type Change = (now: ReturnType<typeof world>) => void
  const changes: ReadonlyArray<readonly [string, Change]> = [
    ["the pod", (now) => void (now.pod = { ...pod, metadata: { ...pod.metadata, resourceVersion: "8" } })],
    ["the pod, which is to end", (now) => void (now.pod = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } })],
    ["what is known of its plans", (now) => void (now.instance = { ...instance, metadata: { ...instance.metadata, resourceVersion: "4" } })],
    ["the rest of its plans", (now) => void (now.instance = undefined)],
    ["what was handed over", (now) => void (now.supervised = Option.some({ spec: { ...spec }, state: Option.map(now.supervised, ({ state }) => state).pipe(Option.flatten) }))],
    ["what the supervisor recorded", (now) => void (now.supervised = Option.some({ spec, state: Option.some(stateOf("finished", "running")) }))],
    ["a ConfigMap of its variables", (now) => void (now.configMap = "2")],
    ["a Secret of its volumes", (now) => void (now.secret = "2")],
    ["a token", (now) => void (now.tokens = new Map([["/3600", "new"]]))],
    ["the Services", (now) => void (now.services = 2)],
    ["the API, which is away", (now) => void (now.isApiThere = false)]
  ]
  for (const [what, change] of changes) {
    it.effect(`is due when this changed: ${what}`, () =>
      Effect.gen(function*() {
        const now = world()
        const settled = settledIn(now)
        yield* settled.passing(pod, passed)
        change(now)
        assert.isFalse(yield* settled.isSettled(now.pod))
      }))
  }

  const unfinished: ReadonlyArray<readonly [string, Change, Effect.Effect<PodWorker.Outcome>]> = [
    ["asked for another one", () => {}, Effect.succeed(PodWorker.Outcome.RequeueAfter({ delay: "1 second" }))],
    ["left files to be written", (now) => void (now.upToDate = false), passed],
    ["found a container that waits", (now) => void (now.supervised = Option.some({ spec, state: Option.some(stateOf("running", "backOff")) })), passed],
    ["found nothing that runs", (now) => void (now.supervised = Option.some({ spec, state: Option.some(stateOf("finished")) })), passed],
    ["found nothing handed over", (now) => void (now.supervised = Option.none()), passed],
    ["found a pod that is being stopped", (now) =>
      void (now.supervised = Option.some({ spec: { ...spec, desired: { state: "stop", requestId: "1", requestedAt: 0, graceSeconds: 1 } }, state: Option.some(stateOf("running")) })), passed]
  ]
  for (const [what, given, pass] of unfinished) {
    it.effect(`is due after one that ${what}`, () =>
      Effect.gen(function*() {
        const now = world()
        given(now)
        const settled = settledIn(now)
        yield* settled.passing(pod, pass)
        assert.isFalse(yield* settled.isSettled(pod))
      }))
  }

  it.effect("is due when something changed during the last one, and after one that failed", () =>
    Effect.gen(function*() {
      const now = world()
      const settled = settledIn(now)
      yield* settled.passing(pod, Effect.zipLeft(passed, Effect.sync(() => void (now.secret = "2"))))
      assert.isFalse(yield* settled.isSettled(pod))
      yield* settled.passing(pod, passed)
      assert.isTrue(yield* settled.isSettled(pod))
      yield* Effect.flip(settled.passing(pod, Effect.fail("no")))
      assert.isFalse(yield* settled.isSettled(pod))
    }))

  it.effect("is due for pods of manifests, and for those that ask for other amounts", () =>
    Effect.gen(function*() {
      const settled = settledIn(world())
      const ofManifest: CoreV1.Pod = { ...pod, metadata: { ...pod.metadata, uid: "00000000-0000-5000-8000-000000000000", annotations: { "kubernetes.io/config.source": "file" } } }
      const resized: CoreV1.Pod = {
        ...pod,
        spec: { containers: [{ name: "main", resources: { requests: { cpu: "2" } } }] },
        status: { phase: "Running", containerStatuses: [{ name: "main", image: "", imageID: "", ready: true, restartCount: 0, resources: { requests: { cpu: "1" } } }] }
      }
      for (const other of [ofManifest, resized]) {
        yield* settled.passing(other, passed)
        assert.isFalse(yield* settled.isSettled(other))
      }
    }))
})

describe("a zone", () => {
  const at = (status: ZoneInstance.Status, more: Partial<ZoneInstance.Spec> = {}, of = pod) => PlanRest.isAtRest(of, { ...instance, spec: { ...instance.spec, ...more }, status: { ...instance.status, ...status } })

  it("is at rest while nothing of its plans goes by the time", () => {
    assert.isTrue(at({}))
    assert.isFalse(at({ phase: "Degraded" }))
    assert.isFalse(at({ consecutiveFailures: { restart: 1 } }))
    assert.isFalse(at({ nextPlanNotBefore: "2026-01-01T00:00:00.000000Z" }))
    assert.isFalse(at({ healthySince: "2026-01-01T00:00:00.000000Z" }))
    assert.isFalse(at({ backoffTarget: "x" }))
    assert.isFalse(at({ failedDigests: { specHash: "h", digests: {} } }))
  })

  it("is not while its gates are asked, or its environment is compared with what it is made from", () => {
    assert.isFalse(at({}, {}, { ...pod, metadata: { ...pod.metadata, annotations: { "reddwarf.io/sidecar-gate": "main" } } }))
    assert.isFalse(at({}, { updatePolicy: { config: "Apply" } }))
    assert.isTrue(at({}, { updatePolicy: { config: "Apply" } }, { ...pod, spec: { containers: [{ name: "main" }] } }))
  })
})
