/** The messages of zoneadm and of zoneadmd, each with its prefix. */
import type { Zone } from "../HostState.js"

/** A message of zoneadm about a zone. @category constructors */
export const own = (zone: Zone | string, text: string): string => `zoneadm: zone '${typeof zone === "string" ? zone : zone.name}': ${text}`

/** A message of the zone's daemon. @category constructors */
export const daemon = (zone: Zone, text: string): string => `zone '${zone.name}': ${text}`

/** What zoneadm adds when the daemon refused to boot or make ready. @category constructors */
export const callFailed = (zone: Zone): string => own(zone, "call to zoneadmd failed")

/** What zoneadm adds when verification failed. @category constructors */
export const notVerified = (zone: Zone): string => `zoneadm: zone ${zone.name} failed to verify`

/** Usage of the whole command. @category constructors */
export const usage = [
  "usage:\tzoneadm help",
  "\tzoneadm [-z <zone>] list",
  "\tzoneadm {-z <zone>|-u <uuid>} <verify|install|clone|boot|ready|halt|shutdown|reboot|uninstall|detach|attach|move|mark>"
].join("\n")

/** Synopsis of each subcommand. @category models */
export const synopses: Readonly<Record<string, string>> = {
  help: "help",
  boot: "boot [-- boot_arguments]",
  halt: "halt",
  ready: "ready",
  shutdown: "shutdown [-r [-- boot_arguments]]",
  reboot: "reboot [-- boot_arguments]",
  list: "list [-cinpv]",
  verify: "verify",
  install: "install [brand-specific args]",
  uninstall: "uninstall [-F] [brand-specific args]",
  clone: "clone [-m method] [-s <ZFS snapshot>] [brand-specific args] zonename",
  move: "move zonepath",
  detach: "detach [-n] [brand-specific args]",
  attach: "attach [-F] [-n <path>] [brand-specific args]",
  mark: "mark incomplete | mark -F configured|installed|incomplete"
}

/** A usage error inside a subcommand. @category constructors */
export const subUsage = (subcommand: string): string => `usage:\t${synopses[subcommand] ?? subcommand}`
