/** Checks of single property values, with the messages zonecfg prints. */

/** An accepted value as it is stored, or the whole message of the refusal. @category models */
export type Checked = { readonly value: string } | { readonly refused: string }

const positiveScale = "A positive number with a required scale suffix (K, M, G or T) was expected\nhere."
const scale = "A non-negative number with a required scale suffix (K, M, G or T) was expected\nhere."

/** Zone names: 63 characters, first alphanumeric, never `global`, never starting with `SUNW`. @category combinators */
export const isZoneName = (name: string): boolean =>
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name) && name !== "global" && !name.startsWith("SUNW")

/** Bytes of `512M`, `1.5G`, `1048576`. @category combinators */
export const bytes = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([KMGT]?)$/i.exec(text)
  if (match === null) return undefined
  return Math.floor(Number(match[1]) * 1024 ** ["", "K", "M", "G", "T"].indexOf((match[2] ?? "").toUpperCase()))
}

/** A size as `info` prints it: scaled and rounded, so exact numbers are lost. @category combinators */
export const scaled = (amount: number): string => {
  const units = ["", "K", "M", "G", "T"]
  let value = amount
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number.isInteger(value) || value >= 10 ? Math.round(value) : value.toFixed(1)}${units[unit] ?? ""}`
}

const linkName = /^[A-Za-z_.][A-Za-z0-9_.]*?(0|[1-9][0-9]*)$/

/** Why the name cannot be a datalink of an exclusive-IP zone. @category combinators */
export const physicalProblem = (name: string): string | undefined => {
  if (name.includes(":")) return `${name}: physical interface name required; logical interface name not allowed`
  return name.length <= 31 && linkName.test(name) ? undefined : `${name}: invalid physical interface name`
}

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/

/** Why the text is no network address; names pass, as they do on a real host. @category combinators */
export const addressProblem = (text: string): string | undefined => {
  const [host = "", length] = text.split("/")
  const isIpv6 = host.includes(":")
  if (isIpv6 && length === undefined) return `${text}: IPv6 addresses require /prefix-length suffix.`
  if (length !== undefined) {
    const limit = isIpv6 ? 128 : 32
    const bits = /^\d+$/.test(length) ? Number(length) : -1
    if (bits < 0 || bits > limit) return `${text}: ${isIpv6 ? "IPv6" : "IPv4"} address prefix lengths must be 0 - ${limit}.`
  }
  if (isIpv6) return /^[0-9A-Fa-f:.]+$/.test(host) ? undefined : `${text}: invalid address`
  if (ipv4.test(host) && host.split(".").every((part) => Number(part) <= 255)) return undefined
  return /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(host) ? undefined : `${text}: bogus host name or network address syntax`
}

const zonepath = (text: string): Checked => {
  if (!text.startsWith("/")) return { refused: `${text} is not an absolute path.` }
  const value = text.replaceAll(/\/+/g, "/").replace(/(.)\/$/, "$1")
  return value === "/" ? { refused: "/ is not allowed as a zonepath." } : { value }
}

const choice = (property: string, values: ReadonlyArray<string>) => (text: string): Checked =>
  values.includes(text) ? { value: text } : { refused: `${property} value must be ${values.map((value) => `'${value}'`).join(" or ")}.` }

const invalid = (property: string): Checked => ({ refused: `${property}: Specified property is invalid` })

const globals: Readonly<Record<string, (text: string) => Checked>> = {
  zonepath,
  autoboot: choice("autoboot", ["true", "false"]),
  "ip-type": choice("ip-type", ["shared", "exclusive"]),
  bootargs: (text) => text.length < 257 ? { value: text } : invalid("bootargs"),
  pool: (text) => text.startsWith("SUNW") ? { refused: "pool names starting with SUNW are reserved." } : { value: text },
  hostid: (text) =>
    text === "" || /^(0x)?[0-9a-f]{1,8}$/i.test(text) && !/^(0x)?f{8}$/i.test(text) ? { value: text.replace(/^0x/i, "") } : invalid("hostid"),
  "fs-allowed": (text) =>
    text.length <= 1024 && (text === "" || /^[A-Za-z0-9-]+(,[A-Za-z0-9-]+)*$/.test(text)) ? { value: text } : invalid("fs-allowed"),
  brand: (text) => ({ value: text }),
  limitpriv: (text) => ({ value: text }),
  "scheduling-class": (text) => ({ value: text })
}

/** Properties of the global scope that are stored as they are. @category models */
export const globalNames: ReadonlyArray<string> = Object.keys(globals)

/** Checks a property of the global scope. @category combinators */
export const checkGlobal = (property: string, text: string): Checked => globals[property]?.(text) ?? { value: text }

/** Resource controls behind the alias properties. @category models */
export const aliases: Readonly<Record<string, { readonly rctl: string; readonly action: string; readonly minimum: number; readonly sized: boolean }>> = {
  "max-lwps": { rctl: "zone.max-lwps", action: "deny", minimum: 100, sized: false },
  "max-processes": { rctl: "zone.max-processes", action: "deny", minimum: 100, sized: false },
  "max-shm-memory": { rctl: "zone.max-shm-memory", action: "deny", minimum: 0, sized: true },
  "max-shm-ids": { rctl: "zone.max-shm-ids", action: "deny", minimum: 0, sized: false },
  "max-msg-ids": { rctl: "zone.max-msg-ids", action: "deny", minimum: 0, sized: false },
  "max-sem-ids": { rctl: "zone.max-sem-ids", action: "deny", minimum: 0, sized: false },
  "cpu-shares": { rctl: "zone.cpu-shares", action: "none", minimum: 0, sized: false },
  "zfs-io-priority": { rctl: "zone.zfs-io-priority", action: "none", minimum: 0, sized: false }
}

/** Checks the number of an alias property. @category combinators */
export const checkAlias = (property: string, text: string): Checked => {
  const alias = aliases[property]
  if (alias === undefined) return { value: text }
  if (alias.sized) {
    const amount = bytes(text)
    return amount === undefined || !/[KMGT]$/i.test(text) ? { refused: scale } : { value: String(amount) }
  }
  if (!/^\d+$/.test(text)) return { refused: "A non-negative integer number was expected here." }
  return Number(text) < alias.minimum ? { refused: `${property} property is out of range.` } : { value: String(Number(text)) }
}

const minimum = (property: string, floor: number, unit: string) => (text: string): Checked => {
  const amount = bytes(text)
  if (amount === undefined) return { refused: positiveScale }
  return amount < floor ? { refused: `${property} value is too small.  It must be at least ${unit}.` } : { value: String(amount) }
}

const ncpus = (text: string): Checked => {
  const amount = /^\d*\.?\d+$|^\d+\.$/.test(text) ? Number(text) : Number.NaN
  // Truncated, not rounded, to percent; the small term undoes the binary error of decimal fractions such as 0.29.
  const percent = Math.trunc(amount * 100 + 1e-9)
  return Number.isNaN(amount) || percent < 1 ? { refused: "ncpus property is out of range." } : { value: String(percent) }
}

const range = (text: string): Checked => {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text)
  const low = Number(match?.[1] ?? 0)
  const high = Number(match?.[2] ?? low)
  return low >= 1 && low <= high ? { value: text } : { refused: "ncpus property is out of range." }
}

const any = (text: string): Checked => ({ value: text })

/** One text for all: what a real host prints here is not verified. */
const securityFlags = (text: string): Checked =>
  /^(all|none|(ASLR|FORBIDNULLMAP|NOEXECSTACK)(,(ASLR|FORBIDNULLMAP|NOEXECSTACK))*)$/i.test(text) ? { value: text } : { refused: `security flags ${text} are invalid` }

const resourceChecks: Readonly<Record<string, Readonly<Record<string, (text: string) => Checked>>>> = {
  fs: { dir: (text) => text.startsWith("/") ? { value: text } : { refused: `dir ${text} is not an absolute path.` }, special: any, type: any, raw: any },
  net: {
    physical: any,
    address: (text) => {
      const problem = addressProblem(text)
      return problem === undefined ? { value: text } : { refused: problem }
    },
    "allowed-address": (text) => {
      const problem = addressProblem(text)
      return problem === undefined ? { value: text } : { refused: problem }
    },
    defrouter: (text) => {
      const problem = addressProblem(text.includes(":") ? `${text}/128` : text)
      return problem === undefined ? { value: text } : { refused: problem }
    },
    "mac-addr": any,
    "vlan-id": any,
    "global-nic": any
  },
  device: { match: any },
  rctl: { name: any },
  attr: { name: any, type: any, value: any },
  dataset: { name: any },
  "dedicated-cpu": { ncpus: range, importance: (text) => /^\d+$/.test(text) ? { value: text } : { refused: "A non-negative integer number was expected here." } },
  "capped-cpu": { ncpus },
  "capped-memory": {
    physical: minimum("physical", 1024 ** 2, "1M"),
    swap: minimum("swap", 50 * 1024 ** 2, "50M"),
    locked: minimum("locked", 1, "1")
  },
  admin: { user: any, auths: any },
  "security-flags": { default: securityFlags, lower: securityFlags, upper: securityFlags }
}

/** Checks a property inside a resource; `undefined` when the resource has no such property. @category combinators */
export const checkResource = (kind: string, property: string, text: string): Checked | undefined =>
  resourceChecks[kind]?.[property]?.(text)

/** Checks name, type and value of an `attr` together, as `end` does. @category combinators */
export const attributeProblem = (name: string, type: string, value: string): string | undefined => {
  if (!/^[A-Za-z0-9]/.test(name)) return `Invalid attr name ${name}: must start with an alpha-numeric character.`
  if (!/^[A-Za-z0-9.-]+$/.test(name)) return `Invalid attr name ${name}: can only contain alpha-numeric characters, plus '-' and '.'.`
  switch (type) {
    case "string": return Buffer.byteLength(value) <= 255 ? undefined : "invalid attr value for type=string"
    case "boolean": return value === "true" || value === "false" ? undefined : "invalid attr value for type=boolean"
    case "int": return /^-?\d+$/.test(value) ? undefined : "invalid attr value for type=int"
    case "uint": return /^\d+$/.test(value) ? undefined : "invalid attr value for type=uint"
    default: return `invalid attr type '${type}'`
  }
}

/** Accounts of a freshly installed host: only these can be named by an `admin` resource. @category models */
export const accounts: ReadonlyArray<string> = [
  "root", "daemon", "bin", "sys", "adm", "lp", "uucp", "nuucp", "dladm", "netadm", "netcfg", "smmsp", "listen", "gdm", "zfssnap", "upnp", "nobody", "noaccess", "nobody4"
]

/** What is wrong with an `admin` resource. The words of a real host are not verified. @category combinators */
export const adminProblem = (user: string, auths: string): string | undefined => {
  if (!accounts.includes(user)) return `user ${user} is not valid`
  const bad = auths.split(",").find((auth) => !["login", "manage", "clonefrom"].includes(auth))
  return bad === undefined ? undefined : `auths ${bad} is not valid`
}
