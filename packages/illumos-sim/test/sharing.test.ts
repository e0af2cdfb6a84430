import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { alive, directory, hostIn } from "./support.js"

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const worker = (folder: string, lines: ReadonlyArray<ReadonlyArray<string>>, delay = 0) =>
  Effect.sync(() =>
    spawn(process.execPath, ["--conditions=source", "--import", file("./sources.mjs"), file("./worker.ts"), folder, JSON.stringify(lines), String(delay)], {
      stdio: ["ignore", "pipe", "inherit"]
    }))

const ended = (child: ChildProcess) =>
  Effect.async<number | null>((resume) => {
    child.on("close", (code) => resume(Effect.succeed(code)))
  })

describe("one host, several processes", () => {
  it.scopedLive("loses no update", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { sh } = yield* hostIn(folder)
      const workers = yield* Effect.forEach(["p", "q"], (name) =>
        worker(folder, Array.from({ length: 20 }, (_, index) => ["dladm", "create-etherstub", `${name}${index}s0`])))
      const mine = Effect.forEach(Array.from({ length: 20 }, (_, index) => index), (index) => sh(`zfs create rpool/d${index}`))
      const [codes] = yield* Effect.all([Effect.forEach(workers, ended, { concurrency: 2 }), mine], { concurrency: 2 })
      assert.deepStrictEqual(codes, [0, 0])
      assert.strictEqual((yield* sh("dladm show-etherstub -p -o link")).stdout.trim().split("\n").length, 40)
      assert.strictEqual((yield* sh("zfs list -Ho name")).stdout.trim().split("\n").length, 21)
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["root", "state.json"])
    }))

  it.scopedLive("a killed install leaves the zone incomplete and nobody locked out", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { zone, states, sh } = yield* hostIn(folder)
      yield* zone("z")
      const child = yield* worker(folder, [["zoneadm", "-z", "z", "install"]], 60_000)
      yield* Effect.repeat(states, { until: (now) => now["z"] === "incomplete", schedule: Schedule.spaced("10 millis") }).pipe(Effect.timeout("15 seconds"))
      assert.include((yield* sh("zoneadm -z z uninstall -F")).stderr, "another zoneadm may have an operation in progress.")
      child.kill("SIGKILL")
      yield* ended(child)
      assert.strictEqual((yield* states)["z"], "incomplete")
      assert.strictEqual((yield* sh("zoneadm -z z install")).stderr, "zoneadm: zone 'z': zone is incomplete; uninstall required.\n")
      for (const command of ["uninstall -F", "install", "boot"]) assert.strictEqual((yield* sh(`zoneadm -z z ${command}`)).exitCode, 0)
    }))

  it.scopedLive("the lock of a dead process is taken away", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { sh } = yield* hostIn(folder)
      fs.writeFileSync(`${folder}/lock`, JSON.stringify({ owner: { pid: 2 ** 22 + 1, start: "1" }, token: "gone" }))
      fs.writeFileSync(`${folder}/lock.break`, JSON.stringify({ owner: { pid: 2 ** 22 + 2, start: "1" }, token: "gone too" }))
      assert.strictEqual((yield* sh("zoneadm list")).stdout, "global\n")
    }))

  it.scopedLive("processes of a zone outlive the program that started them", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { running, sh, realPath } = yield* hostIn(folder)
      yield* running("z")
      const child = yield* worker(folder, [["zlogin", "z", "echo $$ >pid; exec sleep 300"]])
      const pid = yield* Effect.sync(() => fs.existsSync(realPath("/zones/z/root/pid"))).pipe(
        Effect.repeat({ until: (there) => there, schedule: Schedule.spaced("10 millis") }),
        Effect.timeout("15 seconds"),
        Effect.zipRight(Effect.sync(() => fs.readFileSync(realPath("/zones/z/root/pid"), "utf8").trim()))
      )
      child.kill("SIGKILL")
      yield* ended(child)
      assert.isTrue(alive(Number(pid)))
      yield* sh("zoneadm -z z halt")
      assert.isFalse(alive(Number(pid)))
    }))

  it.scopedLive("a state file that is no state is refused with a way out", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      fs.writeFileSync(`${folder}/state.json`, "{\"schema\": 99}")
      const error = yield* Effect.flip(Effect.scoped(hostIn(folder)))
      assert.strictEqual(error.reason, "Corrupt")
      assert.include(error.message, "restore the file `state.json`")
    }))
})
