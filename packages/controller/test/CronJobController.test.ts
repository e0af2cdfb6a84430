import { type BatchV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { CronJobController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer(), EventRecorder.layerMemory(events)) }
}

const ref = { namespace: "default", name: "tick" }
const jobTemplate = {
  metadata: { labels: { app: "tick" } },
  spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "registry.test/app:1" }] } } }
}

const create = (spec: Partial<BatchV1.CronJobSpec> = {}) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.cronJob, { metadata: ref, spec: { schedule: "*/10 * * * *", jobTemplate, ...spec } }))

const jobs = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.job))
const names = Effect.map(jobs, (all) => all.map(({ metadata }) => metadata.name))
const status = Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.cronJob, ref)?.status ?? {})

const complete = (name: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const time = Timestamp.secondsFromMillis(yield* TestClock.currentTimeMillis)
    const condition = (type: string) => ({ type, status: "True", reason: "CompletionsReached", lastTransitionTime: time, lastProbeTime: time })
    yield* client.patch(Kinds.job, { namespace: "default", name }, {
      status: { startTime: time, completionTime: time, succeeded: 1, conditions: [condition("SuccessCriteriaMet"), condition("Complete")] }
    }, { subresource: "status" })
  })

describe("CronJobController", () => {
  it.scoped("makes a job at each time, named by it, and keeps the latest that ended", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* CronJobController.run()
      yield* create({ successfulJobsHistoryLimit: 2 })
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(yield* names, [])
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(yield* names, ["tick-10"])
      const [made] = yield* jobs
      assert.strictEqual(made?.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"], "1970-01-01T00:10:00Z")
      assert.strictEqual(made?.metadata.labels?.["app"], "tick")
      assert.strictEqual((yield* status).lastScheduleTime, "1970-01-01T00:10:00Z")
      assert.strictEqual((yield* status).active?.[0]?.name, "tick-10")
      yield* complete("tick-10")
      yield* TestClock.adjust("1 second")
      assert.isUndefined((yield* status).active)
      assert.isDefined((yield* status).lastSuccessfulTime)
      for (const name of ["tick-20", "tick-30", "tick-40"]) {
        yield* TestClock.adjust("10 minutes")
        yield* complete(name)
      }
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* names, ["tick-30", "tick-40"])
      assert.includeMembers(events.map(({ message, reason }) => `${reason} ${message}`), [
        "SuccessfulCreate Created job tick-10",
        "SawCompletedJob Saw completed job: tick-10, condition: Complete",
        "SuccessfulDelete Deleted job tick-10"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("follows the concurrency policy", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* CronJobController.run()
      yield* create({ concurrencyPolicy: "Forbid" })
      yield* TestClock.adjust("21 minutes")
      assert.deepStrictEqual(yield* names, ["tick-10"])
      assert.isTrue(events.some(({ reason }) => reason === "JobAlreadyActive"))
      yield* client.patch(Kinds.cronJob, ref, { spec: { concurrencyPolicy: "Replace" } })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* names, ["tick-30"])
      yield* client.patch(Kinds.cronJob, ref, { spec: { concurrencyPolicy: "Allow" } })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* names, ["tick-30", "tick-40"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("makes only the latest of the jobs that it missed, and none that is too late", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* create({ startingDeadlineSeconds: 60 })
      yield* TestClock.adjust("25 minutes")
      yield* CronJobController.run()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* names, [])
      const client = yield* ApiClient.ApiClient
      yield* client.patch(Kinds.cronJob, ref, { spec: { startingDeadlineSeconds: null } })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* names, ["tick-20"])
      assert.isFalse(events.some(({ type }) => type === "Warning"))
    }).pipe(Effect.provide(layer))
  })

  it.scoped("makes a job once, even when it cannot say so", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* CronJobController.run()
      yield* create()
      server.injectFaults((request) => (request.method === "PUT" && request.path.includes("/cronjobs/") ? { type: "fail" } : undefined))
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(yield* names, ["tick-10"])
      assert.isUndefined((yield* status).lastScheduleTime)
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* status).lastScheduleTime, "1970-01-01T00:10:00Z")
      assert.deepStrictEqual(yield* names, ["tick-10"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("does nothing while suspended", () =>
    Effect.gen(function*() {
      yield* CronJobController.run()
      yield* create({ suspend: true })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* names, [])
    }).pipe(Effect.provide(world().layer)))
})
