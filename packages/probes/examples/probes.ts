import { ExecRunner, Probe, ProbeManager, Prober } from "@reddwarf/probes"
import { Console, Deferred, Effect, Layer } from "effect"
import { createServer } from "node:http"

// How commands run in a container is up to the program; this one has no containers to run them in.
const commands = Layer.succeed(ExecRunner.ExecRunner, {
  run: (container) => Effect.succeed(ExecRunner.ExecOutcome.NotRun({ message: `${container} takes no commands` }))
})

const server = createServer((_, response) => void response.writeHead(200).end("ok"))

const listening = Effect.acquireRelease(
  Effect.async<number>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
  }),
  () => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
)

const program = Effect.gen(function*() {
  const port = yield* listening
  const manager = yield* ProbeManager.ProbeManager
  const ready = yield* Deferred.make<void>()
  yield* manager.listen((event) => {
    if (event._tag === "ResultChanged" && event.result === "Success") Deferred.unsafeDone(ready, Effect.void)
  })
  // As it stands in a pod's specification; the port has a name there.
  const container = {
    name: "web",
    ports: [{ name: "http", containerPort: port }],
    readinessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 1 }
  }
  yield* manager.set({ key: "default/web", instance: "0", startedAt: 0, probes: Probe.all(container, "127.0.0.1") })
  yield* Console.log("before", manager.results("default/web"))
  yield* Deferred.await(ready)
  yield* Console.log("after", manager.results("default/web"))
  // What a program that ends keeps, and gives to `set` when it starts again.
  yield* Console.log("kept", manager.snapshot("default/web"))
})

const probes = ProbeManager.layer().pipe(Layer.provide(Prober.layer), Layer.provide(commands))

await program.pipe(Effect.scoped, Effect.provide(probes), Effect.runPromise)
