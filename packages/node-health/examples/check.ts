import { NodeContext } from "@effect/platform-node"
import { CheckEvaluator, HealthCheck, HealthMetrics, HostReader, Observation } from "@reddwarf/node-health"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Duration, Effect, Layer } from "effect"

const metrics = HealthMetrics.make()

/** A check of one's own: the host is not overloaded. */
const load = Effect.map(HostReader.HostReader, (host) =>
  HealthCheck.make(
    { name: "load", timeout: Duration.seconds(1), cacheTtl: Duration.seconds(5), onUnknown: "pass" },
    undefined,
    () => Effect.sync(() => host.load() < 1000 ? Observation.pass() : Observation.fail("too many processes wait for a CPU"))
  ))

const program = Effect.gen(function*() {
  const evaluator = yield* CheckEvaluator.make(metrics)
  const [result] = yield* evaluator.evaluate([yield* load], Duration.seconds(4))
  yield* Console.log(`${result?.name}: ${result?.passed === true ? "passed" : result?.reason}`)
})

const host = HostReader.layer({ metrics }).pipe(Layer.provide(CommandRunner.layer), Layer.provide(NodeContext.layer))

await program.pipe(Effect.scoped, Effect.provide(host), Effect.runPromise)
