/** Signals for the processes of an attempt. */
import { type CommandRunner, type HostError, Zlogin, type ZoneName } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as attemptFifos from "./attemptFifos.js"

/**
 * Sent from inside the zone, so that a number written there can reach nothing outside; to all of the process group where the attempt has one.
 * `directory` is that of the attempt on the host. Gives whether there was something to send it to.
 */
export const send = (
  runner: CommandRunner.CommandRunner["Type"],
  zone: ZoneName.ZoneName,
  directory: string,
  name: string
): Effect.Effect<boolean, HostError.HostError> => {
  const [pid = 0, group = 0] = attemptFifos.readNumbers(`${directory}/pid`)?.numbers ?? []
  if (pid <= 1) return Effect.succeed(false)
  const target = group === pid ? `-${pid}` : String(pid)
  return Effect.map(
    Zlogin.run(runner, zone, ["kill", "-s", name, "--", target], { timeout: "10 seconds", failsafe: true }),
    ({ exitCode }) => exitCode === 0
  )
}
