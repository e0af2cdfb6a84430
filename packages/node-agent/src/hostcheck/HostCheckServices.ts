/** Checks of what is left on the host by others: services that gave up, zones that are stuck. */
import { CommandRunner, Smf, ZoneAdm } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import { type Check, ok, warning } from "./HostCheck.js"

/** A few names, and how many more there are. */
const some = (names: ReadonlyArray<string>): string => names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`

/** Services in maintenance. @category constructors */
export const services: Check<CommandRunner.CommandRunner> = {
  name: "services",
  ask: Effect.gen(function*() {
    const all = yield* Smf.make(yield* CommandRunner.CommandRunner).list
    const broken = all.filter(({ state }) => state === "maintenance").map(({ fmri }) => fmri)
    return broken.length === 0
      ? ok(`${all.length} services, none in maintenance`)
      : warning(`in maintenance: ${some(broken)}`, "see svcs -x for the causes, correct them, then run svcadm clear")
  })
}

const passing: ReadonlySet<string> = new Set(["shutting_down", "down"])

/** Zones that an installation or a halt has left half-way. @category constructors */
export const zones: Check<CommandRunner.CommandRunner> = {
  name: "zones",
  ask: Effect.gen(function*() {
    const all = (yield* ZoneAdm.make(yield* CommandRunner.CommandRunner).list).filter(({ name }) => name !== "global")
    const stuck = all.filter(({ state }) => passing.has(state)).map(({ name }) => name)
    const incomplete = all.filter(({ state }) => state === "incomplete").map(({ name }) => name)
    if (stuck.length > 0) return warning(`on their way down: ${some(stuck)}`, "if they stay so, look for processes stuck in the kernel; only a reboot of the host ends that")
    if (incomplete.length > 0) {
      return warning(`incomplete: ${some(incomplete)}`, "the agent removes its own; others: zoneadm -z NAME uninstall -F, then zonecfg -z NAME delete -F")
    }
    return ok(`${all.length} zones, none stuck`)
  })
}
