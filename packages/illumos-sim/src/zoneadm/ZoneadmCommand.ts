/** `zoneadm`: options before the subcommand, the zone they name, and the dispatch. */
import * as Effect from "effect/Effect"
import type { LongCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { fail, ok } from "../internal/result.js"
import * as Installation from "./Installation.js"
import * as Lifecycle from "./Lifecycle.js"
import { own, synopses, usage } from "./Messages.js"
import { list } from "./ZoneList.js"

const commands: Readonly<Record<string, Lifecycle.ZoneCommand>> = {
  verify: Installation.verify,
  install: Installation.install,
  clone: Installation.clone,
  boot: Lifecycle.boot,
  ready: Lifecycle.ready,
  halt: Lifecycle.halt,
  shutdown: Lifecycle.shutdown,
  reboot: Lifecycle.reboot,
  uninstall: Installation.uninstall,
  detach: Installation.detach,
  attach: Installation.attach,
  move: Installation.move,
  mark: Installation.mark
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

/** `zoneadm …`. @category commands */
export const run: LongCommand = (host, line) =>
  Effect.gen(function*() {
    const parsed = getopt(line.args, "?u:z:R:")
    const [subcommand, ...args] = parsed.operands
    if (parsed.error !== undefined || hasFlag(parsed, "?") || subcommand === undefined) return fail(usage, 2)
    if (subcommand === "help") {
      return ok([usage, "", ...Object.values(synopses).map((synopsis) => `\t${synopsis}`)].join("\n"))
    }
    const command = commands[subcommand]
    if (command === undefined && subcommand !== "list") return fail(usage, 2)
    const uuid = lastValue(parsed, "u")
    if (uuid !== undefined && !isUuid(uuid)) return fail("zoneadm: illegal UUID value specified")
    const named = lastValue(parsed, "z")
    const found = yield* host.look((context) => {
      const zone = context.host.zones.find((candidate) => uuid === undefined ? candidate.name === named : candidate.uuid === uuid)
      return { zone: zone?.name, listed: subcommand === "list" && (zone !== undefined || named === undefined || named === "global")
        ? list(context, named === "global" ? "global" : zone, args)
        : undefined }
    })
    if (named !== "global" && (named !== undefined || uuid !== undefined) && found.zone === undefined) {
      return fail(`zoneadm: ${named ?? uuid ?? ""}: No such zone configured`)
    }
    if (command === undefined) return found.listed ?? fail(usage, 2)
    if (named === "global") return fail(own("global", `${subcommand} operation is invalid for the global zone.`))
    if (found.zone === undefined) return fail("zoneadm: no zone specified")
    return yield* command(host, found.zone, args)
  })
