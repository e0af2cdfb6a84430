/** A command of an exec probe in a container. */
import { ExecRunner } from "@reddwarf/probes"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Readable, Writable } from "node:stream"
import * as ContainerExec from "../container/ContainerExec.js"
import type { ContainerTarget } from "../container/ContainerTarget.js"

/**
 * Runs the command in the container's place: zone, root, variables, directory, user. Interruption kills it with everything it started in its
 * group.
 *
 * @category constructors
 */
export const run = (
  runner: CommandRunner.CommandRunner["Type"],
  target: ContainerTarget | undefined,
  argv: ReadonlyArray<string>
): Effect.Effect<ExecRunner.ExecOutcome> =>
  Effect.suspend(() => {
    if (target === undefined) return Effect.succeed(ExecRunner.ExecOutcome.NotRun({ message: "the container does not run" }))
    const chunks: Array<Buffer> = []
    let size = 0
    const sink = () =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          if (size < ExecRunner.outputLimit) chunks.push(chunk.subarray(0, ExecRunner.outputLimit - size))
          size += chunk.length
          done()
        }
      })
    const options = { stdin: false, stdout: true, stderr: true, tty: false }
    const channels = { stdin: Readable.from([]), stdout: sink(), stderr: sink(), resize: Stream.empty }
    return Effect.map(ContainerExec.run(runner, { target, argv, options }, channels), (outcome) =>
      outcome._tag === "Failed"
        ? ExecRunner.ExecOutcome.NotRun({ message: outcome.message })
        : ExecRunner.ExecOutcome.Exited({ exitCode: outcome.exitCode, output: Buffer.concat(chunks).toString("utf8") }))
  })
