/** Prints what commands cost on a host with many zones: `pnpm --filter @reddwarf/illumos-sim bench [ZONES]`. */
import { Faults, SimulatedHost } from "@reddwarf/illumos-sim"
import { type CommandLine, CommandRunner, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { Console, Effect, Fiber, Layer } from "effect"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const count = Number(process.argv[2] ?? 200)
/** How long it is counted what waiting takes. */
const seconds = 5
const directory = mkdtempSync(join(tmpdir(), "illumos-sim-bench-"))

const percentile = (sorted: ReadonlyArray<number>, part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

const words = (text: string): CommandLine.CommandLine => {
  const [program = "", ...args] = text.split(" ")
  return { program, args }
}

const program = Effect.gen(function*() {
  const { run } = yield* CommandRunner.CommandRunner
  const expectOk = (line: CommandLine.CommandLine) =>
    Effect.filterOrDieMessage(run(line), ({ exitCode }) => exitCode === 0, `${line.program} ${line.args.join(" ")} failed`)
  const start = performance.now()
  for (let index = 0; index < count; index++) {
    const zone = `zone-${index}`
    yield* expectOk({ program: "zonecfg", args: ["-z", zone, `create -b; set zonepath=/zones/${zone}; set brand=sparse; set ip-type=exclusive; add net; set physical=v${index}; end`] })
    yield* expectOk(words(`dladm create-vnic -t -l net0 v${index}`))
    yield* expectOk(words(`zoneadm -z ${zone} install`))
    yield* expectOk(words(`zoneadm -z ${zone} boot`))
  }
  yield* Console.log(`${count} zones running after ${((performance.now() - start) / 1000).toFixed(1)} s; state of ${statSync(join(directory, "state.json")).size} bytes, Node ${process.version}`)
  const measure = (text: string, repeat: number) =>
    Effect.gen(function*() {
      const times: Array<number> = []
      const cpu = process.cpuUsage()
      for (let index = 0; index < repeat; index++) {
        const before = performance.now()
        yield* expectOk(words(text))
        times.push(performance.now() - before)
      }
      const used = process.cpuUsage(cpu)
      times.sort((a, b) => a - b)
      yield* Console.log(
        `${text.padEnd(44)} p50 ${percentile(times, 0.5).toFixed(2)} ms   p99 ${percentile(times, 0.99).toFixed(2)} ms   CPU ${((used.user + used.system) / 1000 / repeat).toFixed(2)} ms`
      )
    })
  yield* measure("zoneadm list -cp", 200)
  yield* measure("dladm show-link -p -o link,class,over", 200)
  yield* measure("zfs list -Hpo name,used,mountpoint", 50)
  yield* measure("zoneadm -z zone-7 list -p", 200)
  yield* measure("dladm set-linkprop -t -p maxbw=10 v7", 200)

  // Something waits for the first few of the zones, then for all: what is looked at must not grow with them.
  const host = yield* SimulatedHost.SimulatedHost
  const zones = Array.from({ length: count }, (_, index) => ZoneName.make(`zone-${index}`))
  for (const zone of zones) {
    yield* host.inject(Faults.slowHalt(zone, 3_600_000))
    // It would take an hour: the command is given up at once, the zone stays on its way.
    yield* Effect.either(run({ ...words(`zoneadm -z ${zone} halt`), timeout: "1 millis" }))
  }
  let looks = 0
  const counting = CommandRunner.CommandRunner.of({
    ...yield* CommandRunner.CommandRunner,
    run: (line) => Effect.zipRight(Effect.sync(() => void (looks += line.args.includes("list") ? 1 : 0)), run(line))
  })
  const waitFor = (some: ReadonlyArray<ZoneName.ZoneName>) =>
    Effect.gen(function*() {
      const runtime = yield* ZoneRuntime.ZoneRuntime
      const waiting = yield* Effect.fork(Effect.forEach(some, runtime.boot, { concurrency: "unbounded", discard: true }))
      yield* Effect.sleep("2 seconds")
      looks = 0
      const cpu = process.cpuUsage()
      yield* Effect.sleep(`${seconds} seconds`)
      const used = process.cpuUsage(cpu)
      yield* Fiber.interrupt(waiting)
      yield* Console.log(
        `${`${some.length} zones waited for`.padEnd(44)} ${(looks / seconds).toFixed(1)} zoneadm a second   ${((used.user + used.system) / 10_000 / seconds).toFixed(1)} % of a core`
      )
    }).pipe(Effect.provide(Layer.provide(ZoneRuntime.layer, Layer.succeed(CommandRunner.CommandRunner, counting))))
  yield* waitFor(zones.slice(0, 2))
  yield* waitFor(zones)
  yield* host.rebootHost
})

await Effect.runPromise(Effect.provide(program, SimulatedHost.layerWithControls({ directory })))
rmSync(directory, { recursive: true })
