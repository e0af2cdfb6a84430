import { type BatchV1, type CoreV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { JobController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Layer, Scope, TestClock } from "effect"

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer(), EventRecorder.layerMemory(events)) }
}

const ref = { namespace: "default", name: "work" }
const tracking = "batch.kubernetes.io/job-tracking"
const podSpec: CoreV1.PodSpec = { restartPolicy: "Never", containers: [{ name: "main", image: "registry.test/app:1" }] }

const createJob = (spec: Partial<BatchV1.JobSpec>, pod: CoreV1.PodSpec = podSpec) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.job, { metadata: ref, spec: { ...spec, template: { spec: pod } } }))

const pods = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.pod))
const activePods = Effect.map(pods, (all) => all.filter((pod) => pod.status?.phase === "Pending" && pod.metadata.deletionTimestamp === undefined))
const job = Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.job, ref))
const status = Effect.map(job, (found) => found?.status ?? {})
const conditions = Effect.map(status, (found) => (found.conditions ?? []).filter(({ status }) => status === "True").map(({ reason, type }) => `${type}/${reason ?? ""}`))

const end = (pod: CoreV1.Pod, phase: "Succeeded" | "Failed", exitCode = phase === "Failed" ? 1 : 0) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const finishedAt = Timestamp.secondsFromMillis(yield* TestClock.currentTimeMillis)
    yield* client.patch(Kinds.pod, { namespace: "default", name: pod.metadata.name ?? "" }, {
      status: { phase, containerStatuses: [{ name: "main", image: "a", imageID: "a", ready: false, restartCount: 0, state: { terminated: { exitCode, finishedAt } } }] }
    }, { subresource: "status" })
  })

const settle = TestClock.adjust("1 second")

describe("JobController", () => {
  it.scoped("runs pods until enough have succeeded, and lets them go", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({ completions: 3, parallelism: 2 })
      yield* settle
      const first = yield* activePods
      assert.strictEqual(first.length, 2)
      for (const pod of first) {
        assert.deepStrictEqual(pod.metadata.finalizers, [tracking])
        assert.match(pod.metadata.name ?? "", /^work-[a-z0-9]{5}$/)
      }
      assert.strictEqual((yield* status).active, 2)
      assert.isDefined((yield* status).startTime)
      for (const pod of first) yield* end(pod, "Succeeded")
      yield* settle
      assert.strictEqual((yield* status).succeeded, 2)
      const last = yield* activePods
      assert.strictEqual(last.length, 1)
      for (const pod of last) yield* end(pod, "Succeeded")
      yield* settle
      const done = yield* status
      assert.strictEqual(done.succeeded, 3)
      assert.deepStrictEqual(yield* conditions, ["SuccessCriteriaMet/CompletionsReached", "Complete/CompletionsReached"])
      assert.isDefined(done.completionTime)
      assert.isUndefined(done.active)
      assert.deepStrictEqual((yield* pods).map((pod) => pod.metadata.finalizers ?? []), [[], [], []])
      assert.deepStrictEqual(events.map(({ reason }) => reason), ["SuccessfulCreate", "SuccessfulCreate", "SuccessfulCreate", "Completed"])
      const server = yield* FakeApi.FakeApi
      const revision = server.revision()
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(server.revision(), revision)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("waits longer after each failure, and gives up at the limit", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({ backoffLimit: 1 })
      yield* settle
      for (const pod of yield* activePods) yield* end(pod, "Failed")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* activePods).length, 0)
      yield* TestClock.adjust("6 seconds")
      const again = yield* activePods
      assert.strictEqual(again.length, 1)
      for (const pod of again) yield* end(pod, "Failed")
      yield* settle
      assert.deepStrictEqual(yield* conditions, ["FailureTarget/BackoffLimitExceeded", "Failed/BackoffLimitExceeded"])
      assert.strictEqual((yield* status).failed, 2)
      assert.isTrue(events.some(({ message, reason }) => reason === "BackoffLimitExceeded" && message === "Job has reached the specified backoff limit"))
    }).pipe(Effect.provide(layer))
  })

  it.scoped("gives indexed pods their index, and tells which are complete", () =>
    Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({ completions: 4, parallelism: 4, completionMode: "Indexed" })
      yield* settle
      const made = yield* activePods
      const indexOf = (pod: CoreV1.Pod) => pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"]
      assert.deepStrictEqual(made.map(indexOf), ["0", "1", "2", "3"])
      assert.deepStrictEqual(made.map((pod) => pod.spec?.hostname), ["work-0", "work-1", "work-2", "work-3"])
      assert.deepStrictEqual(made[2]?.spec?.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX")
      for (const pod of made) if (indexOf(pod) !== "1") yield* end(pod, "Succeeded")
      yield* settle
      assert.strictEqual((yield* status).completedIndexes, "0,2,3")
      for (const pod of made) if (indexOf(pod) === "1") yield* end(pod, "Succeeded")
      yield* settle
      assert.strictEqual((yield* status).completedIndexes, "0-3")
      assert.include(yield* conditions, "Complete/CompletionsReached")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("counts failures by index, and fails the job when all others are done", () =>
    Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({ completions: 2, parallelism: 2, completionMode: "Indexed", backoffLimitPerIndex: 1 })
      yield* settle
      const indexed = (index: string) =>
        Effect.map(activePods, (all) => all.filter((pod) => pod.metadata.labels?.["batch.kubernetes.io/job-completion-index"] === index))
      for (const pod of yield* indexed("1")) yield* end(pod, "Succeeded")
      for (const pod of yield* indexed("0")) yield* end(pod, "Failed")
      yield* TestClock.adjust("12 seconds")
      const [again] = yield* indexed("0")
      assert.strictEqual(again?.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"], "1")
      if (again !== undefined) yield* end(again, "Failed")
      yield* TestClock.adjust("30 seconds")
      const done = yield* status
      assert.deepStrictEqual([done.completedIndexes, done.failedIndexes, done.failed, done.succeeded], ["1", "0", 2, 1])
      assert.include(yield* conditions, "Failed/FailedIndexes")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("follows the pod failure policy", () =>
    Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({
        backoffLimit: 0,
        podFailurePolicy: {
          rules: [
            { action: "Ignore", onExitCodes: { operator: "In", values: [3] } },
            { action: "FailJob", onExitCodes: { operator: "In", values: [42] } }
          ]
        }
      })
      yield* settle
      for (const pod of yield* activePods) yield* end(pod, "Failed", 3)
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* status).failed ?? 0, 0)
      const again = yield* activePods
      assert.strictEqual(again.length, 1)
      for (const pod of again) yield* end(pod, "Failed", 42)
      yield* settle
      assert.include(yield* conditions, "Failed/PodFailurePolicy")
      assert.match((yield* status).conditions?.find(({ type }) => type === "Failed")?.message ?? "", /^Container main for pod default\/work-\S+ failed with exit code 42 matching FailJob rule at index 1$/)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("ends early when the success policy is met, and deletes the rest", () =>
    Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({ completions: 5, parallelism: 5, completionMode: "Indexed", successPolicy: { rules: [{ succeededIndexes: "0,4", succeededCount: 1 }] } })
      yield* settle
      const leader = (yield* activePods).find((pod) => pod.metadata.labels?.["batch.kubernetes.io/job-completion-index"] === "4")
      if (leader !== undefined) yield* end(leader, "Succeeded")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* conditions, ["SuccessCriteriaMet/SuccessPolicy", "Complete/SuccessPolicy"])
      assert.strictEqual((yield* pods).length, 1)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("is suspended and resumed", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* JobController.run()
      yield* createJob({ parallelism: 2, completions: 2 })
      yield* settle
      yield* client.patch(Kinds.job, ref, { spec: { suspend: true } })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* activePods).length, 0)
      assert.deepStrictEqual(yield* conditions, ["Suspended/JobSuspended"])
      assert.isUndefined((yield* status).startTime)
      yield* client.patch(Kinds.job, ref, { spec: { suspend: false } })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* activePods).length, 2)
      assert.deepStrictEqual(yield* conditions, [])
      assert.includeMembers(events.map(({ reason }) => reason), ["Suspended", "Resumed"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("counts no failure for pods that it takes away itself", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const live = Effect.map(pods, (all) => all.filter(({ metadata }) => metadata.deletionTimestamp === undefined))
      yield* JobController.run()
      yield* createJob({ parallelism: 5, completions: 9, backoffLimit: 1 })
      yield* settle
      for (const pod of yield* activePods) yield* client.bind({ namespace: "default", name: pod.metadata.name ?? "" }, "n1")
      yield* client.patch(Kinds.job, ref, { spec: { parallelism: 2 } })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([(yield* live).length, (yield* status).failed ?? 0, (yield* status).active], [2, 0, 2])
      yield* client.patch(Kinds.job, ref, { spec: { suspend: true } })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([(yield* live).length, (yield* status).failed ?? 0], [0, 0])
      assert.deepStrictEqual(yield* conditions, ["Suspended/JobSuspended"])
      yield* client.patch(Kinds.job, ref, { spec: { suspend: false } })
      yield* settle
      assert.strictEqual((yield* live).length, 2)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("lets a work queue's pods finish once one of them has succeeded", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* JobController.run()
      yield* createJob({ parallelism: 3 })
      yield* settle
      const [first] = yield* activePods
      if (first !== undefined) yield* end(first, "Succeeded")
      yield* settle
      yield* client.patch(Kinds.job, ref, { spec: { parallelism: 1 } })
      yield* settle
      assert.strictEqual((yield* activePods).length, 2)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("ends at its deadline", () =>
    Effect.gen(function*() {
      yield* JobController.run()
      yield* createJob({ activeDeadlineSeconds: 60 })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* activePods).length, 1)
      yield* TestClock.adjust("5 seconds")
      assert.include(yield* conditions, "Failed/DeadlineExceeded")
      assert.strictEqual((yield* pods).length, 0)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("lets the pods of a deleted job go", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* JobController.run()
      yield* createJob({ parallelism: 2, completions: 2 })
      yield* settle
      yield* client.delete(Kinds.job, ref)
      yield* client.deleteCollection(Kinds.pod, { namespace: "default" })
      yield* settle
      assert.strictEqual((yield* pods).length, 0)
    }).pipe(Effect.provide(world().layer)))

  // Every request may be refused, or its answer lost, and the controller may end at any time: each pod counts once.
  it.effect.prop(
    "counts every pod once, whatever fails",
    {
      completions: FastCheck.integer({ min: 1, max: 4 }),
      parallelism: FastCheck.integer({ min: 1, max: 3 }),
      steps: FastCheck.array(FastCheck.record({ fails: FastCheck.boolean(), fault: FastCheck.constantFrom("none", "fail", "lose", "crash"), at: FastCheck.nat(6), wait: FastCheck.nat(15) }), {
        minLength: 1,
        maxLength: 6
      })
    },
    ({ completions, parallelism, steps }) =>
      Effect.gen(function*() {
        const server = yield* FakeApi.FakeApi
        yield* createJob({ completions, parallelism, backoffLimit: 100 })
        let controller = yield* Scope.make()
        const start = Effect.gen(function*() {
          controller = yield* Scope.make()
          yield* Effect.provideService(JobController.run(), Scope.Scope, controller)
        })
        yield* start
        yield* settle
        const ended = { succeeded: 0, failed: 0 }
        for (const step of steps) {
          const [pod] = yield* activePods
          if (pod !== undefined) {
            ended[step.fails ? "failed" : "succeeded"]++
            let writes = 0
            let isHit = false
            if (step.fault === "fail" || step.fault === "lose" || step.fault === "crash") {
              server.injectFaults((request) => {
                // The pod ends whatever happens; what the controller writes then is at risk.
                if (request.method === "GET" || request.path.includes(`/${pod.metadata.name ?? ""}/status`) || writes++ !== step.at) return undefined
                isHit = true
                return { type: step.fault === "fail" ? "fail" : "lose" }
              })
            }
            yield* end(pod, step.fails ? "Failed" : "Succeeded")
            yield* TestClock.adjust(`${step.wait} seconds`)
            server.injectFaults(() => undefined)
            if (step.fault === "crash" || (isHit && step.at % 2 === 0)) {
              yield* Scope.close(controller, Exit.void)
              yield* start
            }
          } else yield* TestClock.adjust("11 minutes")
          const active = yield* activePods
          assert.isAtMost(active.length, parallelism)
          assert.isAtMost(active.length + ended.succeeded, Math.max(completions, ended.succeeded))
        }
        yield* TestClock.adjust("11 minutes")
        const found = yield* status
        assert.deepStrictEqual([found.succeeded ?? 0, found.failed ?? 0], [ended.succeeded, ended.failed])
        assert.isUndefined(found.uncountedTerminatedPods?.succeeded)
        assert.isUndefined(found.uncountedTerminatedPods?.failed)
        assert.strictEqual((yield* conditions).includes("Complete/CompletionsReached"), ended.succeeded >= completions)
        yield* Scope.close(controller, Exit.void)
      }).pipe(Effect.provide(world().layer)),
    { fastCheck: { numRuns: 10 }, timeout: 90_000 }
  )
})
