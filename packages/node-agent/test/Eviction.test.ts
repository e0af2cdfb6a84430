import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as Eviction from "../src/eviction/Eviction.js"
import * as EvictionRanking from "../src/eviction/EvictionRanking.js"
import * as EvictionThresholds from "../src/eviction/EvictionThresholds.js"

const mebibyte = 1024 * 1024

interface Shape {
  readonly name: string
  readonly priority?: number
  readonly request?: number
  readonly annotations?: Readonly<Record<string, string>>
}

const pod = ({ annotations = {}, name, priority = 0, request = 0 }: Shape): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "default", name, uid: name, annotations },
  spec: { priority, containers: [{ name: "main", ...(request === 0 ? {} : { resources: { requests: { memory: `${request}Mi` } } }) }] },
  status: { phase: "Running", qosClass: request === 0 ? "BestEffort" : "Burstable" }
})

const used = (mebibytes: number): EvictionRanking.Usage => ({
  total: mebibytes * mebibyte,
  containers: new Map([["main", mebibytes * mebibyte]])
})

describe("thresholds", () => {
  it("are read as the kubelet writes them, and replace the default of their signal only", () => {
    const read = Either.getOrThrow(EvictionThresholds.parse("memory.available<1Gi, pid.available<5%"))
    assert.deepStrictEqual(read.map(({ signal, text }) => [signal, text]), [
      ["memory.available", "1Gi"],
      ["nodefs.available", "10%"],
      ["pid.available", "5%"]
    ])
    assert.deepStrictEqual(read.map(({ amountOf }) => amountOf(1000)), [1024 ** 3, 100, 50])
  })

  it("say what is wrong with them", () => {
    assert.strictEqual(Either.getOrThrow(Either.flip(EvictionThresholds.parse("memory<1Gi"))),
      "\"memory<1Gi\" must be SIGNAL<AMOUNT; signals are memory.available, nodefs.available, pid.available")
    assert.strictEqual(Either.getOrThrow(Either.flip(EvictionThresholds.parse("memory.available<much"))),
      "\"much\" is neither a quantity such as 100Mi nor a percentage such as 10%")
  })

  it("are not met by what could not be measured", () => {
    assert.deepStrictEqual(EvictionThresholds.met(EvictionThresholds.defaults, {}), [])
    const short = EvictionThresholds.met(EvictionThresholds.defaults, { "nodefs.available": { available: 99, capacity: 1000 } })
    assert.deepStrictEqual(short.map(({ signal }) => signal), ["nodefs.available"])
  })
})

describe("the order in which pods go", () => {
  const names = (candidates: ReadonlyArray<EvictionRanking.Candidate>) =>
    EvictionRanking.rank("memory.available", candidates).map((candidate) => candidate.pod.metadata.name)

  it("is: more than asked for, then priority, then by how much", () => {
    assert.deepStrictEqual(names([
      { pod: pod({ name: "within", request: 100 }), usage: used(90) },
      { pod: pod({ name: "important", priority: 1000, request: 10 }), usage: used(500) },
      { pod: pod({ name: "a-little", request: 10 }), usage: used(20) },
      { pod: pod({ name: "much", request: 10 }), usage: used(400) },
      { pod: pod({ name: "unmeasured", request: 10 }), usage: undefined }
    ]), ["much", "a-little", "important", "within", "unmeasured"])
  })

  it("leaves pods of the system and of the host alone", () => {
    assert.deepStrictEqual(names([
      { pod: pod({ name: "critical", priority: 2_000_000_000 }), usage: used(500) },
      { pod: pod({ name: "static", annotations: { "kubernetes.io/config.source": "file" } }), usage: used(500) },
      { pod: pod({ name: "mirror", annotations: { "kubernetes.io/config.mirror": "h" } }), usage: used(500) },
      { pod: pod({ name: "other" }), usage: used(1) }
    ]), ["other"])
  })

  const candidate = FastCheck.record({
    priority: FastCheck.integer({ min: -5, max: 5 }),
    request: FastCheck.integer({ min: 0, max: 50 }),
    usage: FastCheck.integer({ min: 0, max: 100 })
  })

  it.prop("a pod within its request never goes before one beyond it", [FastCheck.array(candidate, { maxLength: 12 })], ([shapes]) => {
    const ranked = EvictionRanking.rank("memory.available", shapes.map((shape, at) => ({ pod: pod({ name: `p${at}`, ...shape }), usage: used(shape.usage) })))
    const beyond = ranked.map((one) => {
      const shape = shapes[Number(one.pod.metadata.name?.slice(1))]
      return shape !== undefined && shape.usage > shape.request
    })
    assert.deepStrictEqual(beyond, beyond.toSorted((a, b) => Number(b) - Number(a)))
    assert.strictEqual(ranked.length, shapes.length)
  })
})

describe("a node that runs short", () => {
  const node = () => {
    const state = {
      memory: 50 * mebibyte,
      space: 500,
      reclaimable: 0,
      pods: [pod({ name: "small", request: 10 }), pod({ name: "large", request: 10 })],
      usage: new Map([["small", used(20)], ["large", used(200)]]),
      ended: new Map<string, Eviction.Verdict>(),
      changes: 0
    }
    const eviction = Eviction.make({
      thresholds: EvictionThresholds.defaults,
      pods: () => state.pods,
      observe: Effect.sync(() => ({
        "memory.available": { available: state.memory, capacity: 1024 * mebibyte },
        "nodefs.available": { available: state.space, capacity: 1000 }
      })),
      usage: () => Effect.sync(() => state.usage),
      reclaim: Effect.sync(() => {
        state.space += state.reclaimable
        state.reclaimable = 0
      }),
      end: (one, verdict) => Effect.sync(() => void state.ended.set(one.metadata.name ?? "", verdict)),
      isEnding: (one) => Effect.sync(() => state.ended.has(one.metadata.name ?? "")),
      onChange: Effect.sync(() => void (state.changes += 1))
    })
    return { state, eviction }
  }

  it.effect("ends one pod at a time, with the words of the kubelet", () =>
    Effect.gen(function*() {
      const { eviction, state } = node()
      yield* eviction.pass
      assert.deepStrictEqual([...state.ended], [["large", {
        reason: "Evicted",
        message: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 200Mi, request is 10Mi, has larger consumption of memory. "
      }]])
      yield* eviction.pass
      assert.strictEqual(state.ended.size, 1)
      state.pods = state.pods.filter(({ metadata }) => metadata.name !== "large")
      yield* eviction.pass
      assert.deepStrictEqual([...state.ended.keys()], ["large", "small"])
    }))

  it.effect("goes on when the pod it chose does not end", () =>
    Effect.gen(function*() {
      const { eviction, state } = node()
      yield* eviction.pass
      yield* TestClock.adjust("31 seconds")
      yield* eviction.pass
      assert.deepStrictEqual([...state.ended.keys()], ["large", "small"])
    }))

  it.effect("ends nobody for space that it gets back otherwise", () =>
    Effect.gen(function*() {
      const { eviction, state } = node()
      Object.assign(state, { memory: 500 * mebibyte, space: 50, reclaimable: 200 })
      yield* eviction.pass
      assert.strictEqual(state.ended.size, 0)
      assert.deepStrictEqual([...eviction.pressures()], ["nodefs.available"])
    }))

  it.effect("counts as short for five minutes after it is not any more, and says so once", () =>
    Effect.gen(function*() {
      const { eviction, state } = node()
      yield* eviction.pass
      assert.deepStrictEqual([...eviction.pressures()], ["memory.available"])
      state.memory = 800 * mebibyte
      yield* TestClock.adjust("299 seconds")
      yield* eviction.pass
      assert.strictEqual(state.changes, 1)
      yield* TestClock.adjust("1 second")
      yield* eviction.pass
      assert.strictEqual(eviction.pressures().size, 0)
      assert.strictEqual(state.changes, 2)
    }))

  it.effect("does not begin with pods that asked for no memory, and with none while space is short", () =>
    Effect.gen(function*() {
      const { eviction, state } = node()
      yield* eviction.pass
      assert.deepStrictEqual(eviction.rejection(pod({ name: "new" })), { reason: "Evicted", message: "The node had condition: [MemoryPressure]. " })
      assert.isUndefined(eviction.rejection(pod({ name: "new", request: 10 })))
      Object.assign(state, { space: 10 })
      yield* eviction.pass
      assert.deepStrictEqual(eviction.rejection(pod({ name: "new", request: 10 })), { reason: "Evicted", message: "The node had condition: [DiskPressure]. " })
      assert.isUndefined(eviction.rejection(pod({ name: "new", priority: 2_000_000_001 })))
    }))
})
