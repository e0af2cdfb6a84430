/** A command in a container whose whole output is wanted, as the kubelet's `/run` gives it. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Readable, Writable } from "node:stream"
import * as ContainerExec from "./ContainerExec.js"
import type { ContainerTarget } from "./ContainerTarget.js"

/** Most bytes of an answer; a command that prints more is not waited for in memory. */
const limit = 1024 * 1024

/**
 * Output and error output in the order in which they came, at most 1 MiB. A command that fails, and one that takes longer than two minutes,
 * is a 500.
 *
 * @category constructors
 */
export const collect = (
  runner: CommandRunner.CommandRunner["Type"],
  { argv, target }: { readonly target: ContainerTarget; readonly argv: ReadonlyArray<string> }
): Effect.Effect<{ readonly status: number; readonly body: string }> =>
  Effect.suspend(() => {
    const chunks: Array<Buffer> = []
    let size = 0
    const sink = () =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          if (size < limit) chunks.push(chunk.subarray(0, limit - size))
          size += chunk.length
          done()
        }
      })
    const options = { stdin: false, stdout: true, stderr: true, tty: false }
    const channels = { stdin: Readable.from([]), stdout: sink(), stderr: sink(), resize: Stream.empty }
    return ContainerExec.run(runner, { target, argv, options }, channels).pipe(
      Effect.map((outcome) => {
        const body = Buffer.concat(chunks).toString("utf8")
        if (outcome._tag === "Failed") return { status: 500, body: outcome.message }
        return outcome.exitCode === 0 ? { status: 200, body } : { status: 500, body: `command '${argv.join(" ")}' exited with ${outcome.exitCode}: ${body}` }
      }),
      Effect.timeoutTo({
        duration: "2 minutes",
        onSuccess: (answer) => answer,
        onTimeout: () => ({ status: 500, body: `command '${argv.join(" ")}' did not end within 2 minutes` })
      })
    )
  })
