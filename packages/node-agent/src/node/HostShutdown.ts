/** Whether the machine is going down: an agent that is asked to end then ends its pods first, else they would be cut off by the host. */
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"

/** The run level: illumos sets it before it stops the first service. @category constructors */
export const runLevel: CommandLine.CommandLine = CommandLine.withTimeout(CommandLine.make("/usr/bin/who", "-r"), "5 seconds")

/** What systemd says of itself. @category constructors */
export const systemState: CommandLine.CommandLine = CommandLine.withTimeout(CommandLine.make("/usr/bin/systemctl", "is-system-running"), "5 seconds")

/** Whether the output of `runLevel` names one of a host that halts, powers off or reboots. @category combinators */
export const endsAt = (text: string): boolean => /\brun-level\s+[056]\b/.test(text)

/** Whether the output of `systemState` is that of a system that goes down. @category combinators */
export const isStopping = (text: string): boolean => text.trim() === "stopping"

const asked = (line: CommandLine.CommandLine, test: (text: string) => boolean): Effect.Effect<boolean, never, CommandRunner.CommandRunner> =>
  Effect.flatMap(CommandRunner.CommandRunner, ({ run }) => run(line)).pipe(
    Effect.map(({ stdout }) => test(stdout)),
    // Zones outlive an agent whose host stays up, so that is what is believed.
    Effect.catchAll((error) => Effect.as(Effect.logDebug("whether the host goes down is not known", error), false))
  )

/** Asks an illumos host. @category constructors */
export const illumos: Effect.Effect<boolean, never, CommandRunner.CommandRunner> = asked(runLevel, endsAt)

/** Asks a Linux machine that systemd runs. @category constructors */
export const systemd: Effect.Effect<boolean, never, CommandRunner.CommandRunner> = asked(systemState, isStopping)
