/** Makes single attempts: no clock, no counting. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ExecOutcome, ExecRunner } from "./ExecRunner.js"
import * as GrpcProbe from "./GrpcProbe.js"
import * as HttpProbe from "./HttpProbe.js"
import type { Attempt } from "./internal/attempt.js"
import type { Probe } from "./Probe.js"
import * as ProbeAction from "./ProbeAction.js"
import * as ProbeOutcome from "./ProbeOutcome.js"
import * as TcpProbe from "./TcpProbe.js"

export type { Attempt } from "./internal/attempt.js"

/**
 * Prepares attempts.
 *
 * @category services
 */
export class Prober extends Context.Tag("@reddwarf/probes/Prober")<Prober, {
  /**
   * One attempt for a container. It has no deadline of its own: who makes it interrupts it when its time is up, and `timedOut` tells
   * what that means.
   */
  readonly prepare: (container: string, probe: Pick<Probe, "action" | "timeoutMillis">) => Attempt
}>() {}

/** A command that could not be run is tried again at once, as often as this in all. */
const execTries = 3

/**
 * Over sockets of this process, and commands by `ExecRunner`.
 *
 * @category layers
 */
export const layer: Layer.Layer<Prober, never, ExecRunner> = Layer.effect(
  Prober,
  Effect.map(ExecRunner, (runner) => {
    const exec = (container: string, argv: ReadonlyArray<string>, triesLeft: number): Effect.Effect<ProbeOutcome.ProbeOutcome> =>
      Effect.flatMap(runner.run(container, argv), ExecOutcome.$match({
        Exited: ({ exitCode, output }) => Effect.succeed(exitCode === 0 ? ProbeOutcome.success : ProbeOutcome.failure(output)),
        NotRun: ({ message }) => triesLeft > 1 ? exec(container, argv, triesLeft - 1) : Effect.succeed(ProbeOutcome.unknown(message))
      }))
    return Prober.of({
      prepare: (container, { action, timeoutMillis }) =>
        ProbeAction.ProbeAction.$match(action, {
          Exec: ({ argv }): Attempt => ({
            run: exec(container, argv, execTries),
            timedOut: () =>
              ProbeOutcome.failure(`command timed out: ${JSON.stringify(argv.join(" "))} timed out after ${ProbeAction.duration(timeoutMillis)}`)
          }),
          HttpGet: HttpProbe.prepare,
          TcpSocket: TcpProbe.prepare,
          Grpc: (grpc) => GrpcProbe.prepare(grpc, timeoutMillis),
          Impossible: ({ reason }) => ({ run: Effect.succeed(ProbeOutcome.unknown(reason)), timedOut: () => ProbeOutcome.unknown(reason) })
        })
    })
  })
)

/**
 * One attempt of one probe with its deadline, for programs that want no more than that.
 *
 * @category combinators
 */
export const once = (container: string, probe: Pick<Probe, "action" | "timeoutMillis">): Effect.Effect<ProbeOutcome.ProbeOutcome, never, Prober> =>
  Effect.flatMap(Prober, (prober) => {
    const { run, timedOut } = prober.prepare(container, probe)
    // What is stuck must not hold the answer back.
    return Effect.disconnect(run).pipe(
      Effect.timeoutTo({ duration: Duration.millis(probe.timeoutMillis), onSuccess: (outcome) => outcome, onTimeout: timedOut })
    )
  })
