/**
 * Everything the simulated host remembers between two commands: zones, datalinks, IP interfaces, datasets, faults.
 *
 * The model is a mutable draft: a command gets it inside one transaction of the state file, changes it in place, and the
 * file is written when the text differs. Nothing else in the package holds host state.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Fault } from "./Faults.js"
import * as Tables from "./network/Tables.js"
import { Services } from "./smf/State.js"

const mutableArray = <A, I>(item: Schema.Schema<A, I>) => Schema.mutable(Schema.Array(item))
const mutableRecord = <A, I>(value: Schema.Schema<A, I>) =>
  Schema.mutable(Schema.Record({ key: Schema.String, value }))
const text = Schema.String
const textRecord = mutableRecord(text)

/** A resource block of a zone configuration (`net`, `fs`, `rctl`, …) with its simple properties. @category schemas */
export const ZoneResource = Schema.mutable(Schema.Struct({
  kind: text,
  /** Simple properties, by zonecfg name. */
  properties: textRecord,
  /** `options` of an `fs` resource, in the order in which they were added. */
  options: mutableArray(text),
  /** Complex values: `property` of a `net`, `value` of an `rctl`. */
  values: mutableArray(textRecord)
}))
/** @category models */
export type ZoneResource = typeof ZoneResource.Type

/** A zone configuration: what `/etc/zones/<zone>.xml` holds. @category schemas */
export const ZoneConfiguration = Schema.mutable(Schema.Struct({
  properties: textRecord,
  resources: mutableArray(ZoneResource)
}))
/** @category models */
export type ZoneConfiguration = typeof ZoneConfiguration.Type

/** States that the index file may hold. @category schemas */
export const IndexState = Schema.Literal("configured", "incomplete", "installed")
/** @category models */
export type IndexState = typeof IndexState.Type

/** States of a zone that exists in the kernel. @category schemas */
export const KernelState = Schema.Literal("ready", "running", "shutting_down", "down")
/** @category models */
export type KernelState = typeof KernelState.Type

/** Every state `zoneadm list` may print. @category models */
export type ZoneState = IndexState | KernelState

/** A local process that must be known again after the program that started it died. @category schemas */
export const ProcessIdentity = Schema.Struct({
  pid: Schema.Number,
  /** Start time in clock ticks since boot, where the system tells it; guards against a reused pid. */
  start: Schema.optional(text)
})
/** @category models */
export type ProcessIdentity = typeof ProcessIdentity.Type

const Operation = Schema.Struct({ name: text, owner: ProcessIdentity, token: text })

const Pending = Schema.Struct({
  to: Schema.Literal("running", "installed"),
  /** Milliseconds since the epoch at which the transition may finish. */
  at: Schema.Number
})

/** A privileged value of a resource control. */
const ControlValue = Schema.Struct({ limit: text, action: text })

const Kernel = Schema.mutable(Schema.Struct({
  id: Schema.Number,
  state: KernelState,
  /** Identity of this boot, part of the environment marker of its processes. */
  boot: text,
  bootTime: Schema.Number,
  pending: Schema.optional(Pending),
  /** Configuration as it was when the zone became ready; later changes take effect at the next boot. */
  snapshot: ZoneConfiguration,
  processGroups: mutableArray(ProcessIdentity),
  /** Processes that were killed while the zone is torn down: once their parents are gone, nothing else tells whose they were. */
  dying: Schema.optional(mutableArray(ProcessIdentity)),
  /** Symbolic links that stand for the loopback mounts of this boot. */
  mounts: mutableArray(Schema.Struct({ path: text, target: text, readOnly: Schema.optional(Schema.Boolean) })),
  links: mutableArray(text),
  /** VNICs that the brand made for `global-nic`. */
  ownedLinks: mutableArray(text),
  shutdown: Schema.Boolean,
  /** What its processes have used since it booted, and the part of that which could be seen at the last look. */
  cpuNanos: Schema.Number,
  cpuSeenNanos: Schema.optional(Schema.Number),
  /** Allocations of its processes that were refused since it booted. */
  allocationFailures: Schema.optional(Schema.Number),
  /** Resource controls that were changed while it runs; the others are those of the snapshot. */
  controls: Schema.optional(mutableRecord(mutableArray(ControlValue)))
}))
/** The part of a zone that exists while it is booted. @category models */
export type Kernel = typeof Kernel.Type

/** A zone: its index entry, its configuration, and its kernel part while it has one. @category schemas */
export const Zone = Schema.mutable(Schema.Struct({
  name: text,
  indexState: IndexState,
  uuid: text,
  /** Zone DID, printed as the eighth field of `zoneadm list -p` on OmniOS. */
  did: Schema.Number,
  configuration: ZoneConfiguration,
  kernel: Schema.optional(Kernel),
  operation: Schema.optional(Operation)
}))
/** @category models */
export type Zone = typeof Zone.Type

/** A datalink. @category schemas */
export const Datalink = Schema.mutable(Schema.Struct({
  name: text,
  class: Schema.Literal("phys", "vnic", "etherstub", "vlan", "overlay"),
  over: text,
  mac: text,
  macType: text,
  vid: Schema.Number,
  mtu: Schema.Number,
  temporary: Schema.Boolean,
  /** Zone that owns the link; empty in the global zone. */
  zone: text,
  properties: textRecord
}))
/** @category models */
export type Datalink = typeof Datalink.Type

const AddressObject = Schema.mutable(Schema.Struct({
  name: text,
  type: text,
  address: text,
  state: text,
  temporary: Schema.Boolean
}))

/** An IP interface with its address objects. @category schemas */
export const IpInterface = Schema.mutable(Schema.Struct({
  name: text,
  temporary: Schema.Boolean,
  properties: textRecord,
  addresses: mutableArray(AddressObject)
}))
/** @category models */
export type IpInterface = typeof IpInterface.Type

/** A ZFS dataset or snapshot. @category schemas */
export const Dataset = Schema.mutable(Schema.Struct({
  name: text,
  type: Schema.Literal("filesystem", "volume", "snapshot"),
  /** Names the folder that holds the content of a snapshot. */
  guid: text,
  creation: Schema.Number,
  createtxg: Schema.Number,
  origin: text,
  mounted: Schema.Boolean,
  local: textRecord,
  holds: mutableArray(text),
  /** Seconds since the epoch at which each hold was taken, by tag. */
  heldSince: Schema.optional(mutableRecord(Schema.Number)),
  /** Values that came with a received stream. */
  received: Schema.optional(textRecord),
  /** Received values that `zfs inherit` has put aside. */
  receivedIgnored: Schema.optional(mutableArray(text)),
  /** A snapshot that goes with its last hold and clone. */
  deferred: Schema.optional(Schema.Boolean),
  /** Folder of the content where it is not the guid: a received snapshot has the guid of the one that was sent. */
  content: Schema.optional(text),
  /** Bytes a snapshot refers to, counted when it was taken. */
  bytes: Schema.optional(Schema.Number),
  /** The part of a cut stream that `zfs receive -s` has kept: its file, the token of it, and whether the dataset exists only because of it. */
  partial: Schema.optional(Schema.Struct({ file: text, token: text, fresh: Schema.Boolean })),
  /** Permissions given by `zfs allow`. */
  grants: Schema.optional(mutableArray(Schema.Struct({
    who: text,
    scope: Schema.Literal("local", "descendants", "both"),
    permissions: Schema.Array(text)
  })))
}))
/** @category models */
export type Dataset = typeof Dataset.Type

/** A pool; what is absent has its default: healthy, one disk, never scrubbed. @category schemas */
export const Pool = Schema.mutable(Schema.Struct({
  name: text,
  size: Schema.Number,
  guid: text,
  /** Groups of devices as given to `zpool create`. */
  devices: Schema.optional(Schema.Array(Schema.Struct({ kind: text, names: Schema.Array(text) }))),
  /** State of a device that is not `ONLINE`, by name. */
  deviceStates: Schema.optional(textRecord),
  /** Seconds since the epoch at which the last scrub ended. */
  scrubbed: Schema.optional(Schema.Number),
  /** Pool properties that were set. */
  properties: Schema.optional(textRecord)
}))
/** @category models */
export type Pool = typeof Pool.Type

/** The whole host. @category schemas */
export const HostState = Schema.mutable(Schema.Struct({
  schema: Schema.Literal(1),
  hostId: text,
  dialect: Schema.Literal("gate", "omnios"),
  bootTime: Schema.Number,
  /** The run level that was asked for last; absent is 3, that of a host that is up. */
  runLevel: Schema.optional(Schema.Literal("0", "5", "6")),
  /** How often the host was rebooted; absent is never. */
  boots: Schema.optional(Schema.Number),
  cpus: Schema.Number,
  memoryMiB: Schema.Number,
  brands: mutableArray(text),
  nextZoneId: Schema.Number,
  nextDid: Schema.Number,
  nextTxg: Schema.Number,
  zones: mutableArray(Zone),
  links: mutableArray(Datalink),
  interfaces: mutableArray(IpInterface),
  protocolProperties: mutableRecord(textRecord),
  pools: mutableArray(Pool),
  datasets: mutableArray(Dataset),
  faults: mutableArray(Fault),
  /** Routes, rules and flows; absent in states from before there were any. */
  network: Schema.optional(Tables.NetworkTables),
  /** Services that are not as they were delivered; absent while all are. */
  services: Schema.optional(Services),
  /** What the CPUs offer to virtual machines; absent is `vmx`. */
  virtualization: Schema.optional(Schema.Literal("vmx", "amd_svm", "none")),
  /** Who runs the commands; absent is root with all privileges. */
  account: Schema.optional(Schema.Struct({ uid: Schema.Number, name: text, privileges: Schema.Array(text) })),
  /** Scheduling class of new processes; absent is `FSS`. */
  schedulingClass: Schema.optional(text),
  /** Resource controls that are logged, with the priority. */
  controlLogging: Schema.optional(textRecord)
}))
/** @category models */
export type HostState = typeof HostState.Type

/** What differs between hosts of one dialect. @category models */
export interface HostDefaults {
  readonly hostId: string
  readonly dialect: "gate" | "omnios"
  readonly now: number
  readonly cpus: number
  readonly memoryMiB: number
  readonly brands: ReadonlyArray<string>
  readonly pools: ReadonlyArray<{ readonly name: string; readonly size: number }>
  readonly links: ReadonlyArray<string>
}

const addressObject = (name: string, address: string) => ({ name, type: "static", address, state: "ok", temporary: false })

/** A freshly installed host: pools, physical links that are up, loopback addresses, no zones. @category constructors */
export const initial = (defaults: HostDefaults): HostState => ({
  schema: 1,
  hostId: defaults.hostId,
  dialect: defaults.dialect,
  bootTime: defaults.now,
  cpus: defaults.cpus,
  memoryMiB: defaults.memoryMiB,
  brands: [...defaults.brands],
  nextZoneId: 1,
  nextDid: 1,
  nextTxg: 4,
  zones: [],
  links: defaults.links.map((name, index) => ({
    name,
    class: "phys",
    over: "",
    mac: `2:8:20:0:0:${(index + 1).toString(16)}`,
    macType: "factory",
    vid: 0,
    mtu: 1500,
    temporary: false,
    zone: "",
    properties: {}
  })),
  interfaces: [{
    name: "lo0",
    temporary: false,
    properties: {},
    addresses: [addressObject("lo0/v4", "127.0.0.1/8"), addressObject("lo0/v6", "::1/128")]
  }],
  protocolProperties: {},
  pools: defaults.pools.map((pool, index) => ({ ...pool, guid: String(1_000_000 + index) })),
  datasets: defaults.pools.map((pool, index) => ({
    name: pool.name,
    type: "filesystem",
    guid: String(2_000_000 + index),
    creation: Math.floor(defaults.now / 1000),
    createtxg: 1,
    origin: "",
    mounted: true,
    local: {},
    holds: []
  })),
  faults: [],
  network: Tables.empty()
})

/** The zone called `name`. @category combinators */
export const findZone = (host: HostState, name: string): Zone | undefined =>
  host.zones.find((zone) => zone.name === name)

/** The state `zoneadm list` prints: the kernel's where the zone has one, else the index's. @category combinators */
export const zoneState = (zone: Zone): ZoneState => zone.kernel?.state ?? zone.indexState

/** The zone's path, empty while it is not set. @category combinators */
export const zonepath = (zone: Zone): string => zone.configuration.properties["zonepath"] ?? ""

/** The resources of one kind. @category combinators */
export const resources = (configuration: ZoneConfiguration, kind: string): ReadonlyArray<ZoneResource> =>
  configuration.resources.filter((resource) => resource.kind === kind)

const isState = Schema.is(HostState)

/** Reads the text of a state file that is known to hold a state of this version. Each call gives a draft of its own. @category combinators */
export const parse = (json: string): HostState => JSON.parse(json)

/** Reads the text of a state file; `None` when it is not a state of this version. @category combinators */
export const decodeOption = (json: string): Option.Option<HostState> =>
  Option.filter(Option.liftThrowable((text: string): unknown => JSON.parse(text))(json), isState)

const isVersion = Schema.is(Schema.Struct({ schema: Schema.Literal(1), zones: Schema.Array(Schema.Unknown), datasets: Schema.Array(Schema.Unknown) }))

/** The same for a file that was looked at before: its other writers are programs like this one, so only its version is checked. @category combinators */
export const reparseOption = (json: string): Option.Option<HostState> =>
  Option.flatMap(Option.liftThrowable(parse)(json), (state) => isVersion(state) ? Option.some(state) : Option.none())

/** The text of a state file. @category combinators */
export const encode = (state: HostState): string => JSON.stringify(state)
