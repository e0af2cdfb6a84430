import { assert, it } from "@effect/vitest"
import { ExecRunner, ProbeAction, ProbeManager, ProbeOutcome, Prober } from "@reddwarf/probes"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AddressInfo, createServer } from "node:net"

const listening = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer((socket) => socket.on("error", () => {}))
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ port: (server.address() as AddressInfo).port, close: () => server.close() })))
  }),
  ({ close }) => Effect.sync(close)
)

const noCommands = Layer.succeed(ExecRunner.ExecRunner, ExecRunner.ExecRunner.of({ run: () => Effect.dieMessage("no commands here") }))

/** Keeps the event loop from turning. */
const holdUp = (millis: number): void => {
  const end = performance.now() + millis
  while (performance.now() < end) { /* that is the point */ }
}

it.scopedLive("an answer that came while the process was held up is heard, however late", () =>
  Effect.gen(function*() {
    const { port } = yield* listening
    const manager = yield* ProbeManager.make()
    const outcome = yield* Deferred.make<ProbeOutcome.ProbeOutcome>()
    yield* manager.listen((event) => {
      if (event._tag === "Probed") Deferred.unsafeDone(outcome, Effect.succeed(event.outcome))
    })
    yield* manager.set({
      key: "pod/web",
      instance: "0",
      startedAt: 0,
      probes: [{
        kind: "liveness",
        action: ProbeAction.ProbeAction.TcpSocket({ host: "127.0.0.1", port }),
        initialDelayMillis: 0,
        // Short, because a manager that was just made begins at some moment of the first period.
        periodMillis: 20,
        timeoutMillis: 100,
        successThreshold: 1,
        failureThreshold: 1
      }]
    })
    // Whenever the attempt begins, the loop is held up for longer than its timeout right after it.
    while (!(yield* Deferred.isDone(outcome))) {
      holdUp(300)
      yield* Effect.promise(() => new Promise((resolve) => void setImmediate(resolve)))
    }
    assert.deepStrictEqual(yield* Deferred.await(outcome), ProbeOutcome.success)
  }).pipe(Effect.provide(Prober.layer.pipe(Layer.provide(noCommands)))))
