/** The prober of the case `probes-2000`, a process of its own: KIND PORT COUNT SECONDS. Prints what it measured as JSON. */
import { ExecRunner, Probe, ProbeManager, Prober } from "@reddwarf/probes"
import { Effect, Layer } from "effect"

/** What the prober measured. */
export interface Probing {
  readonly attempts: number
  readonly failures: number
  /** Milliseconds behind its time, one for each attempt. */
  readonly late: ReadonlyArray<number>
  readonly seconds: number
  readonly cpuMillis: number
  readonly residentMegabytes: number
}

const [kind = "http", port = "0", count = "2000", seconds = "20"] = process.argv.slice(2)

const spec = (): Probe.Probe => {
  const handler = kind === "tcp"
    ? { tcpSocket: { port: Number(port) } }
    : kind === "grpc"
    ? { grpc: { port: Number(port) } }
    : { httpGet: { port: Number(port), path: "/healthz" } }
  return Probe.of("readiness", { ...handler, periodSeconds: 1 }, { name: "main" }, "127.0.0.1")
}

const noCommands = Layer.succeed(ExecRunner.ExecRunner, { run: () => Effect.succeed(ExecRunner.ExecOutcome.NotRun({ message: "not here" })) })

const program = Effect.gen(function*() {
  const manager = yield* ProbeManager.ProbeManager
  let measuring = false
  let attempts = 0
  let failures = 0
  const late: Array<number> = []
  yield* manager.listen((event) => {
    if (event._tag !== "Probed" || !measuring) return
    attempts += 1
    if (event.outcome._tag !== "Success") failures += 1
    late.push(event.lateMillis)
  })
  for (let n = 0; n < Number(count); n += 1) yield* manager.set({ key: String(n), instance: "0", startedAt: 0, probes: [spec()] })
  // The first seconds compile what is used.
  yield* Effect.sleep("5 seconds")
  const cpu = process.cpuUsage()
  const began = performance.now()
  measuring = true
  yield* Effect.sleep(`${Number(seconds)} seconds`)
  measuring = false
  const { system, user } = process.cpuUsage(cpu)
  const measured: Probing = {
    attempts,
    failures,
    late,
    seconds: (performance.now() - began) / 1000,
    cpuMillis: (system + user) / 1000,
    residentMegabytes: process.memoryUsage.rss() / 1024 / 1024
  }
  process.stdout.write(JSON.stringify(measured))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(ProbeManager.layer().pipe(Layer.provide(Prober.layer), Layer.provide(noCommands)))))
