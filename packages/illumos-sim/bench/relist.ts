/** Prints what commands cost on a host with many zones: `pnpm --filter @reddwarf/illumos-sim bench [ZONES]`. */
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { type CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const count = Number(process.argv[2] ?? 200)
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
  yield* Effect.forEach(Array.from({ length: count }, (_, index) => `zone-${index}`), (zone) => run(words(`zoneadm -z ${zone} halt`)))
})

await Effect.runPromise(Effect.provide(program, SimulatedHost.layer({ directory })))
rmSync(directory, { recursive: true })
