/** The services of the host or of a zone: those it was delivered with, and what has changed since. */
import type { HostContext } from "../CommandContext.js"
import { findZone, zoneState } from "../HostState.js"
import { fail, type Result } from "../internal/result.js"
import * as Catalog from "./Catalog.js"
import * as Restarter from "./Restarter.js"
import type { Changes, Instance } from "./State.js"

/** A repository that is open: a draft to be changed in place. @category models */
export interface Repository {
  /** `global`, or the name of the zone. */
  readonly zone: string
  readonly changes: Changes
  instances: Array<Instance>
}

/** Brands whose zones are other systems inside: they have no services of this kind. */
const foreign: ReadonlySet<string> = new Set(["lx", "bhyve", "kvm", "emu"])

interface Delivery {
  readonly delivered: Array<Instance>
  readonly boot: string
  readonly owner: string
}

const deliveryOf = (context: HostContext, name: string, tool: string): Delivery | Result => {
  const { host } = context
  if (name === "global") return { delivered: Catalog.ofHost(host.bootTime), boot: String(host.bootTime), owner: host.hostId }
  const zone = findZone(host, name)
  if (zone === undefined) return fail(`${tool}: invalid zone '${name}'`)
  if (zone.kernel === undefined || zoneState(zone) !== "running" || foreign.has(zone.configuration.properties["brand"] ?? "")) {
    return fail(`${tool}: Could not bind to repository server for zone ${name}: repository server unavailable`)
  }
  return { delivered: Catalog.ofZone(zone.kernel.bootTime), boot: zone.kernel.boot, owner: zone.uuid }
}

/** What was changed stays over a boot; states, contracts and temporary choices begin again. */
const rebooted = (instance: Instance, now: number): Instance => {
  const { at: _at, next: _next, running: _running, temporary: _temporary, ...rest } = instance
  return { ...rest, state: "uninitialized", since: now, contract: 0, failures: 0, reason: "" }
}

/**
 * Opens the repository of a zone, with every step done whose time has come. The result of the tool instead when the zone has none that can be
 * reached.
 *
 * @category constructors
 */
export const open = (context: HostContext, zone: string, tool: string, delayMillis: number): { readonly repository: Repository } | { readonly refused: Result } => {
  const delivery = deliveryOf(context, zone, tool)
  if ("exitCode" in delivery) return { refused: delivery }
  const { boot, delivered, owner } = delivery
  const kept = context.host.services?.[zone]
  const known = kept?.owner === owner ? structuredClone(kept) : undefined
  const changes: Changes = known ?? { boot, owner, nextContract: 100, instances: [], deleted: [] }
  const changed = changes.boot === boot ? changes.instances : changes.instances.map((instance) => rebooted(instance, context.now))
  changes.boot = boot
  const byName = new Map(changed.map((instance) => [instance.fmri, instance]))
  const gone = new Set(changes.deleted)
  const repository: Repository = {
    zone,
    changes,
    instances: [
      ...delivered.flatMap((instance) => gone.has(instance.fmri) ? [] : [byName.get(instance.fmri) ?? instance]),
      ...changed.filter(({ fmri }) => !delivered.some((other) => other.fmri === fmri))
    ]
  }
  Restarter.settle(context, repository, delayMillis)
  return { repository }
}

/** Keeps what differs from the delivery, after everything that can happen now has happened. @category combinators */
export const close = (context: HostContext, repository: Repository, delayMillis: number): void => {
  Restarter.settle(context, repository, delayMillis)
  const delivery = deliveryOf(context, repository.zone, "")
  if ("exitCode" in delivery) return
  const { changes } = repository
  const delivered = new Map(delivery.delivered.map((instance) => [instance.fmri, JSON.stringify(instance)]))
  changes.instances = repository.instances.filter((instance) => delivered.get(instance.fmri) !== JSON.stringify(instance))
  changes.deleted = [...delivered.keys()].filter((fmri) => !repository.instances.some((instance) => instance.fmri === fmri))
  const zones = new Set(["global", ...context.host.zones.map(({ name }) => name)])
  const others = Object.entries(context.host.services ?? {}).filter(([zone]) => zone !== repository.zone && zones.has(zone))
  const mine = changes.instances.length === 0 && changes.deleted.length === 0 ? [] : [[repository.zone, changes] as const]
  if (others.length + mine.length > 0) context.host.services = Object.fromEntries([...others, ...mine])
  else delete context.host.services
}
