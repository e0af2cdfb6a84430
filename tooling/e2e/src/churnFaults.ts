/** Bad days of a host, as lines of a fault script of the simulated host: each at most once, each over by itself or taken away at the end. */

/** A fault and what there is to be seen of it. */
export type Line = ReadonlyArray<string>

/** What a zone goes through while it comes and goes, and what may go wrong with it: nothing, half of it, all of it without a word, or too late. */
const changing: ReadonlyArray<readonly [program: string, match: string]> = [
  ["zonecfg", ""],
  ["zoneadm", "install"],
  ["zoneadm", "boot"],
  ["zoneadm", "halt"],
  ["zoneadm", "uninstall"],
  ["dladm", "create-vnic"],
  ["dladm", "delete-vnic"],
  ["zfs", "create"],
  ["zfs", "clone"],
  ["zfs", "destroy"],
  ["zfs", "set"],
  ["zlogin", ""],
  ["prctl", ""]
]

const looking: ReadonlyArray<readonly [program: string, match: string]> = [
  ["zoneadm", "list"],
  ["zonecfg", "info"],
  ["zonecfg", "export"],
  ["zfs", "list"],
  ["zfs", "get"],
  ["dladm", "show-vnic"]
]

/** The next fault. Commands that hang hold what waits for them for as long as the agent is patient: a minute. */
export const next = (random: () => number, options: { readonly hangs: boolean }): Line => {
  const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A
  const [program, match] = pick(random() < 0.7 ? changing : looking)
  const target = match === "" ? [] : ["match", match]
  const times = String(1 + Math.floor(random() * 3))
  const skip = String(Math.floor(random() * 4))
  const kinds: ReadonlyArray<() => Line> = [
    () => ["fail", program, ...target, "times", times, "skip", skip, "text", "injected: I/O error"],
    () => ["fail", program, ...target, "times", times, "skip", skip, "text", "injected: I/O error"],
    () => ["kill", program, pick(["before", "midway", "after"]), ...target, "skip", skip],
    () => ["kill", program, pick(["before", "midway", "after"]), ...target, "skip", skip],
    () => ["delay", program, "by", pick(["500ms", "2s", "5s"]), ...target, "times", times],
    () => ["disk-full", "rpool"],
    ...(options.hangs ? [(): Line => ["hang", program, ...target, "skip", skip]] : [])
  ]
  return pick(kinds)()
}
