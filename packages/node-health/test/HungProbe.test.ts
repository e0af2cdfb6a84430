/** File systems that hang: what hangs is killed, what cannot be killed is left alone, nobody else waits. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { until } from "vitest-config/waiting"
import { FileProbe, FilesystemCheck, type HealthCheck, HealthMetrics, HostReader, Observation } from "../src/index.js"
import { folder, json, start } from "./support/health.js"

/** Children that end only when the test says so, whatever kills them. */
const unkillable = () => {
  const children: Array<{ killed: boolean; readonly end: (output: string) => void }> = []
  const begin: FileProbe.Start = (_task, ended) => {
    const child = { killed: false, end: ended }
    children.push(child)
    return { kill: () => void (child.killed = true) }
  }
  return { children, begin }
}

const check = (files: FileProbe.FileProbe, path: string, name: string): HealthCheck.HealthCheck => ({
  ...FilesystemCheck.make(HostReader.of({ platform: "linux", kernelFile: () => Effect.succeed("/dev/sda1 / ext4 rw 0 0\n"), files }), { writeProbe: [path] }, { cacheTtl: Duration.zero, timeout: Duration.millis(500) }),
  name
})
const good: HealthCheck.HealthCheck = { name: "good", timeout: Duration.seconds(1), cacheTtl: Duration.zero, onUnknown: "fail", needsNodeName: false, observe: Effect.succeed(Observation.pass()) }

describe("a hung probe", () => {
  it.scopedLive("a FIFO in the way: the child is killed, and the next look works again", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const metrics = HealthMetrics.make()
      const files = FileProbe.make(metrics)
      const fifo = join(path, FileProbe.probeFile)
      execFileSync("mkfifo", [fifo])
      const { get } = yield* start({ checks: [check(files, path, "disk"), good] })
      const reply = yield* get("/health?check=disk,good")
      assert.strictEqual(reply.status, 503)
      assert.deepStrictEqual(json(reply).checks.map(({ name, passed, reason }) => [name, passed, reason]), [["disk", false, `a write to ${path} hangs`], ["good", true, undefined]])
      execFileSync("rm", [fifo])
      yield* until("the child ended", Effect.sync(() => files.stuck() === 0))
      // A child of its own needs a moment on a busy machine.
      yield* until("writing works again", Effect.map(get("/health?check=disk"), ({ status }) => status === 200))
      assert.strictEqual(metrics.get("probe_stuck", { mount: path }), 0)
    }))

  it.scopedLive("a child that does not die is left alone and not joined by a second one", () =>
    Effect.gen(function*() {
      const { begin, children } = unkillable()
      const metrics = HealthMetrics.make()
      const files = FileProbe.make(metrics, begin)
      const { get } = yield* start({ checks: [check(files, "/pool", "disk"), good] })
      for (let asked = 0; asked < 3; asked++) {
        const reply = yield* get("/health?check=disk,good")
        assert.deepStrictEqual(json(reply).checks.map(({ passed }) => passed), [false, true])
      }
      assert.strictEqual(children.length, 1)
      assert.isTrue(children[0]?.killed)
      assert.strictEqual(metrics.get("probe_stuck", { mount: "/pool" }), 1)
      // The device is back.
      children[0]?.end("")
      const recovered = yield* Effect.fork(get("/health?check=disk"))
      yield* until("a new child", Effect.sync(() => children.length === 2))
      children[1]?.end(JSON.stringify({ ok: true }))
      assert.strictEqual((yield* recovered).status, 200)
      assert.strictEqual(metrics.get("probe_stuck", { mount: "/pool" }), 0)
    }))

  it.scopedLive("four of them at once do not delay the process", () =>
    Effect.gen(function*() {
      const paths = yield* Effect.all([folder, folder, folder, folder])
      for (const path of paths) execFileSync("mkfifo", [join(path, FileProbe.probeFile)])
      const files = FileProbe.make(HealthMetrics.make())
      const checks = paths.map((path, at) => check(files, path, `disk${at}`))
      const { get } = yield* start({ checks: [...checks, good] })
      // Without them, for what this machine takes anyhow.
      const calm = yield* Effect.map(Effect.forEach(Array.from({ length: 20 }), () => get("/livez")), (replies) => Math.min(...replies.map(({ millis }) => millis)))
      const hanging = yield* Effect.fork(get(`/health?check=${checks.map(({ name }) => name).join(",")},good`))
      const during = yield* Effect.forEach(Array.from({ length: 20 }), () => get("/livez"))
      assert.isBelow(Math.min(...during.map(({ millis }) => millis)), calm + 50)
      assert.strictEqual((yield* hanging).status, 503)
    }))

  it.scopedLive("real files: space, text, replacing, removing", () =>
    Effect.gen(function*() {
      const path = yield* folder
      const files = FileProbe.make(HealthMetrics.make())
      const space = yield* files.space(path)
      assert.isTrue(space.total > 0 && space.available <= space.total)
      yield* files.save(join(path, "a"), "ä\n")
      assert.strictEqual(yield* files.read(join(path, "a")), "ä\n")
      yield* files.remove(join(path, "a"))
      yield* files.remove(join(path, "a"))
      const missing = yield* Effect.flip(files.read(join(path, "a")))
      assert.deepStrictEqual([missing._tag, missing._tag === "ProbeFailed" && missing.code], ["ProbeFailed", "ENOENT"])
      yield* files.write(path)
    }))
})
