/** ZFS properties: which exist, what values they take, where a value comes from, how it is printed. */
import type { Dataset, HostState } from "../HostState.js"
import * as DatasetIndex from "./DatasetIndex.js"

type Applies = "all" | "filesystem" | "volume"

interface Definition {
  readonly kind: "size" | "index" | "text" | "readonly"
  readonly values?: ReadonlyArray<string>
  readonly fallback: string
  readonly inherits: boolean
  readonly applies: Applies
  readonly createOnly?: boolean
}

const index = (values: ReadonlyArray<string>, fallback: string, applies: Applies = "filesystem"): Definition => ({
  kind: "index",
  values,
  fallback,
  inherits: true,
  applies
})
const size = (fallback: string, applies: Applies = "filesystem"): Definition => ({
  kind: "size",
  fallback,
  inherits: false,
  applies
})
const readonly: Definition = { kind: "readonly", fallback: "-", inherits: false, applies: "all" }
const onOff = ["on", "off"]
const compression = ["on", "off", "lzjb", "gzip", ...Array.from({ length: 9 }, (_, level) => `gzip-${level + 1}`), "zle", "lz4"]

const definitions: Readonly<Record<string, Definition>> = {
  quota: size("none"),
  refquota: size("none"),
  reservation: size("none", "all"),
  refreservation: size("none", "all"),
  recordsize: { ...size("131072"), inherits: true },
  volsize: size("-", "volume"),
  volblocksize: { ...size("8192", "volume"), createOnly: true },
  compression: index(compression, "off", "all"),
  atime: index(onOff, "on"),
  canmount: { ...index(["off", "on", "noauto"], "on"), inherits: false },
  zoned: index(onOff, "off"),
  readonly: index(onOff, "off", "all"),
  exec: index(onOff, "on"),
  setuid: index(onOff, "on"),
  devices: index(onOff, "on"),
  xattr: index(onOff, "on"),
  sync: index(["standard", "always", "disabled"], "standard", "all"),
  copies: index(["1", "2", "3"], "1", "all"),
  checksum: index(["on", "off", "fletcher2", "fletcher4", "sha256", "noparity", "sha512", "skein", "edonr"], "on", "all"),
  dedup: index(["on", "off", "verify", "sha256", "sha256,verify"], "off", "all"),
  snapdir: index(["hidden", "visible"], "hidden"),
  logbias: index(["latency", "throughput"], "latency", "all"),
  primarycache: index(["all", "none", "metadata"], "all", "all"),
  secondarycache: index(["all", "none", "metadata"], "all", "all"),
  aclmode: index(["discard", "groupmask", "passthrough", "restricted"], "discard"),
  aclinherit: index(["discard", "noallow", "restricted", "passthrough", "passthrough-x"], "restricted"),
  nbmand: index(onOff, "off"),
  casesensitivity: { ...index(["sensitive", "insensitive", "mixed"], "sensitive"), createOnly: true },
  normalization: { ...index(["none", "formC", "formD", "formKC", "formKD"], "none"), createOnly: true },
  utf8only: { ...index(onOff, "off"), createOnly: true },
  mountpoint: { kind: "text", fallback: "", inherits: true, applies: "filesystem" },
  sharenfs: { kind: "text", fallback: "off", inherits: true, applies: "filesystem" },
  sharesmb: { kind: "text", fallback: "off", inherits: true, applies: "filesystem" },
  type: readonly,
  creation: readonly,
  used: readonly,
  available: readonly,
  referenced: readonly,
  compressratio: readonly,
  mounted: readonly,
  origin: readonly,
  guid: readonly,
  createtxg: readonly,
  usedbysnapshots: readonly,
  usedbydataset: readonly,
  usedbychildren: readonly,
  usedbyrefreservation: readonly,
  logicalused: readonly,
  logicalreferenced: readonly,
  written: readonly,
  userrefs: readonly,
  defer_destroy: readonly,
  receive_resume_token: { ...readonly, applies: "all" },
  clones: readonly
}

/** Properties that are only ever set for themselves: a file system does not take them over, and they cannot be given back. */
const kept = new Set(["quota", "refquota", "reservation", "refreservation", "volsize"])

const aliases: Readonly<Record<string, string>> = {
  avail: "available",
  refer: "referenced",
  rdonly: "readonly",
  volblock: "volblocksize",
  mountp: "mountpoint",
  compress: "compression",
  reserv: "reservation",
  refreserv: "refreservation",
  recsize: "recordsize",
  ratio: "compressratio",
  usedsnap: "usedbysnapshots",
  usedds: "usedbydataset",
  usedchild: "usedbychildren",
  usedrefreserv: "usedbyrefreservation",
  lused: "logicalused",
  lrefer: "logicalreferenced"
}

/** Every native property, in the order of `zfs get all`. @category combinators */
export const names: ReadonlyArray<string> = Object.keys(definitions)

/** Whether the name is that of a user property. @category combinators */
export const isUserProperty = (name: string): boolean => /^[a-z0-9:+._-]*:[a-z0-9:+._-]*$/.test(name) && name.length <= 256

/** The full name of a property or of its short form; `undefined` when there is none. @category combinators */
export const canonical = (name: string): string | undefined => {
  const full = aliases[name] ?? name
  return full in definitions || isUserProperty(full) ? full : undefined
}

/** Bytes of a size such as `10G`, `1.5T`, `1048576`; 0 for `none`; `undefined` when it is not a number. @category combinators */
export const bytes = (text: string): number | undefined => {
  if (text === "none") return 0
  const match = /^(\d+(?:\.\d*)?|\.\d+)([BKMGTPE]?)(?:I?B)?$/i.exec(text)
  if (match === null || /i/i.test(text)) return undefined
  const power = "BKMGTPE".indexOf((match[2] ?? "").toUpperCase() || "B")
  return Math.floor(Number(match[1]) * 1024 ** power)
}

const units = ["B", "K", "M", "G", "T", "P", "E"]

/** A size as people read it: `1.50G`, `24K`, `512B`. @category combinators */
export const human = (amount: number): string => {
  let value = amount
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  if (unit === 0) return `${amount}B`
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0
  return `${value.toFixed(digits)}${units[unit] ?? ""}`
}

/** Whether a native property means something for the type of dataset. @category combinators */
export const appliesTo = (name: string, type: Dataset["type"]): boolean => {
  const applies = definitions[name]?.applies
  if (type === "snapshot") return ["type", "creation", "used", "referenced", "guid", "createtxg", "compressratio", "userrefs", "defer_destroy", "clones"].includes(name)
  return applies === undefined || applies === "all" || applies === type
}

/** A value and where it comes from, as the SOURCE column says it. @category models */
export interface Effective {
  readonly value: string
  readonly source: string
}

const ancestors = (host: HostState, dataset: Dataset): ReadonlyArray<Dataset> => {
  const index = DatasetIndex.of(host)
  const parts = (dataset.name.split("@")[0] ?? "").split("/")
  const depth = dataset.type === "snapshot" ? parts.length : parts.length - 1
  return Array.from({ length: depth }, (_, index) => parts.slice(0, depth - index).join("/"))
    .flatMap((name) => (index === undefined ? host.datasets.find((candidate) => candidate.name === name) : index.byName.get(name)) ?? [])
}

/** The value that came with a stream, unless `zfs inherit` has put it aside. @category combinators */
export const receivedValue = (dataset: Dataset, name: string): string | undefined =>
  dataset.receivedIgnored?.includes(name) === true ? undefined : dataset.received?.[name]

/** The value of a settable property with its source. @category combinators */
export const effective = (host: HostState, dataset: Dataset, name: string): Effective => {
  const own = dataset.local[name]
  if (own !== undefined) return { value: own, source: "local" }
  const received = receivedValue(dataset, name)
  if (received !== undefined) return { value: received, source: "received" }
  const definition = definitions[name]
  if (definition?.inherits ?? isUserProperty(name)) {
    for (const ancestor of ancestors(host, dataset)) {
      const value = ancestor.local[name] ?? receivedValue(ancestor, name)
      if (value === undefined) continue
      const below = dataset.name.slice(ancestor.name.length)
      const inherited = name === "mountpoint" && value.startsWith("/") ? `${value === "/" ? "" : value}${below}` : value
      return { value: inherited, source: `inherited from ${ancestor.name}` }
    }
  }
  if (name === "mountpoint") return { value: `/${dataset.name}`, source: "default" }
  return definition === undefined ? { value: "-", source: "-" } : { value: definition.fallback, source: "default" }
}

/** What `zfs inherit` says about a property it cannot give back; `undefined` when it can. @category combinators */
export const inheritProblem = (name: string): string | undefined => {
  const definition = definitions[name]
  if (definition === undefined) return undefined
  if (definition.kind === "readonly") return `${name} property is read-only`
  return kept.has(name) || definition.createOnly === true
    ? `'${name}' property cannot be inherited${kept.has(name) && name !== "volsize" ? `\nuse 'zfs set ${name}=none' to clear` : ""}`
    : undefined
}

/** Whether a native property can be set. @category combinators */
export const isSettable = (name: string): boolean => definitions[name] !== undefined && definitions[name].kind !== "readonly"

/** A value that was accepted, in the form in which it is stored; or why it was refused. @category models */
export type Checked = { readonly value: string } | { readonly refused: string }

const choices = (values: ReadonlyArray<string>): string => values.join(" | ")

/** Checks one `property=value`; the refusal is the text after the colon of the error. @category combinators */
export const check = (name: string, value: string, type: Dataset["type"], creating: boolean): Checked => {
  if (isUserProperty(name)) {
    return value.length > 8191 ? { refused: "property value too long" } : { value }
  }
  const definition = definitions[name]
  if (definition === undefined) return { refused: `invalid property '${name}'` }
  if (definition.kind === "readonly" || (definition.createOnly === true && !creating)) {
    return { refused: `'${name}' is readonly` }
  }
  if (type === "snapshot") return { refused: "this property can not be modified for snapshots" }
  if (!appliesTo(name, type)) return { refused: `'${name}' does not apply to datasets of this type` }
  if (definition.kind === "index") {
    return definition.values?.includes(value) === true
      ? { value }
      : { refused: `'${name}' must be one of '${choices(definition.values ?? [])}'` }
  }
  if (definition.kind === "size") {
    const parsed = bytes(value)
    if (parsed === undefined) return { refused: `bad numeric value '${value}'` }
    if (parsed === 0 && value !== "none" && (name === "quota" || name === "refquota")) {
      return { refused: "use 'none' to disable quota/refquota" }
    }
    if (name === "recordsize" && (parsed < 512 || parsed > 1048576 || (parsed & (parsed - 1)) !== 0)) {
      return { refused: "'recordsize' must be power of 2 from 512B to 1M" }
    }
    return { value: parsed === 0 ? "none" : String(parsed) }
  }
  if (name === "mountpoint" && value !== "none" && value !== "legacy" && !value.startsWith("/")) {
    return { refused: "'mountpoint' must be an absolute path, 'none', or 'legacy'" }
  }
  return { value: name === "mountpoint" && value.length > 1 ? value.replaceAll(/\/+/g, "/").replace(/\/$/, "") : value }
}

/** Whether the value is a number of bytes, for printing with and without `-p`. @category combinators */
export const isSize = (name: string): boolean =>
  definitions[name]?.kind === "size"
  || ["used", "available", "referenced", "usedbysnapshots", "usedbydataset", "usedbychildren", "usedbyrefreservation", "logicalused", "logicalreferenced", "written"].includes(name)
