/** The pod network of one node: an etherstub, the gateway in the global zone, and one VNIC per pod interface. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommandRunner } from "./CommandRunner.js"
import * as Dladm from "./Dladm.js"
import { type HostError, LinkMismatch, LinkNotFound } from "./HostError.js"
import * as keyedLock from "./internal/keyedLock.js"
import { normalizeMac } from "./internal/macAddress.js"
import * as retry from "./internal/retry.js"
import * as Ipadm from "./Ipadm.js"
import * as LinkName from "./LinkName.js"

/** The node's own interface on the pod network. @category models */
export interface GatewaySpec {
  /** Etherstub the pods are attached to. */
  readonly stub: LinkName.LinkName
  /** VNIC in the global zone. */
  readonly link: LinkName.LinkName
  /** `a.b.c.d/len`: the default router of the pods. */
  readonly address: string
}

/** A VNIC for a zone. @category models */
export interface VnicSpec {
  readonly name: LinkName.LinkName
  /** Link below: an etherstub or a physical link. */
  readonly over: LinkName.LinkName
  /** `02:08:20:…`; absent lets the host choose one. */
  readonly mac?: string | undefined
  /** Bandwidth limit in Mbit/s, both directions together; absent means none, the least is 1.2. */
  readonly maxbw?: number | undefined
}

/** A VNIC as dladm shows it. @category models */
export interface Vnic {
  readonly name: LinkName.LinkName
  readonly over: string
  /** Six octets with two digits each. */
  readonly mac: string
}

/**
 * Links and addresses of one host. Everything is idempotent, and temporary: it is made again after a host reboot.
 *
 * @category services
 */
export class NetworkRuntime extends Context.Tag("@reddwarf/runtime-illumos/NetworkRuntime")<NetworkRuntime, {
  readonly ensureEtherstub: (name: LinkName.LinkName) => Effect.Effect<void, HostError>
  /** Makes the gateway VNIC over the stub (which must exist) with its address, and turns IPv4 forwarding on. */
  readonly ensureGateway: (spec: GatewaySpec) => Effect.Effect<void, HostError>
  /** Fails with `LinkMismatch` when the name is taken by something else. */
  readonly ensureVnic: (spec: VnicSpec) => Effect.Effect<Vnic, HostError>
  /** Deletes a VNIC, waiting a bounded time while a halting zone still holds it. A missing one is fine. */
  readonly deleteVnic: (name: LinkName.LinkName) => Effect.Effect<void, HostError>
  /** VNICs whose name begins with `prefix`. */
  readonly listVnics: (prefix: string) => Effect.Effect<ReadonlyArray<Vnic>, HostError>
}>() {}

const gatewayWord = "v4"

/** `maxbw` as dladm takes it: Mbit/s, not more than three digits after the point. */
const bandwidth = (mbits: number): string => String(Math.round(mbits * 1000) / 1000)

const mismatch = (operation: string, name: LinkName.LinkName, detail: string) =>
  Effect.fail(new LinkMismatch({ operation, object: name, detail }))

const vnicNamed = (entries: ReadonlyArray<Dladm.VnicEntry>) =>
  entries.flatMap((entry): Array<Vnic> =>
    LinkName.is(entry.link) ? [{ name: entry.link, over: entry.over, mac: entry.mac }] : []
  )

/**
 * The live service.
 *
 * @category layers
 */
export const layer: Layer.Layer<NetworkRuntime, never, CommandRunner> = Layer.effect(
  NetworkRuntime,
  Effect.gen(function*() {
    const runner = yield* CommandRunner
    const dladm = Dladm.make(runner)
    const ipadm = Ipadm.make(runner)
    const locked = keyedLock.make()

    const findVnic = (name: LinkName.LinkName) =>
      Effect.map(dladm.vnics, (entries) => vnicNamed(entries).find((vnic) => vnic.name === name))

    const ensureEtherstub = Effect.fnUntraced(function*(name: LinkName.LinkName) {
      const operation = "create etherstub"
      const find = Effect.map(dladm.links, (links) => links.find((entry) => entry.link === name))
      let found = yield* find
      if (found === undefined) {
        // Somebody else may create it between the look and the command.
        yield* Effect.catchTag(dladm.createEtherstub(name), "LinkExists", () => Effect.void)
        found = yield* find
      }
      if (found?.linkClass !== "etherstub") {
        yield* mismatch(operation, name, found === undefined ? "it is not listed" : `it is a ${found.linkClass}`)
      }
    })

    const ensureVnic = Effect.fnUntraced(function*(spec: VnicSpec) {
      const operation = "create VNIC"
      let found = yield* findVnic(spec.name)
      if (found === undefined) {
        yield* dladm.createVnic({
          name: spec.name,
          over: spec.over,
          mac: spec.mac,
          properties: spec.maxbw === undefined ? {} : { maxbw: bandwidth(spec.maxbw) }
        }).pipe(
          Effect.catchTag("LinkExists", (error) =>
            // The same text stands for a MAC address in use: then the name is still free.
            Effect.filterOrFail(findVnic(spec.name), (vnic) => vnic !== undefined, () => error))
        )
        found = yield* findVnic(spec.name)
      } else if (spec.maxbw !== undefined) {
        const current = yield* dladm.property(spec.name, "maxbw")
        if (Number(current) !== spec.maxbw) yield* dladm.setProperty(spec.name, "maxbw", bandwidth(spec.maxbw))
      }
      if (found === undefined) return yield* new LinkNotFound({ operation, object: spec.name, detail: "not listed after creation" })
      if (found.over !== spec.over) return yield* mismatch(operation, spec.name, `it is over ${found.over}, not ${spec.over}`)
      if (spec.mac !== undefined && found.mac !== normalizeMac(spec.mac)) {
        return yield* mismatch(operation, spec.name, `its MAC address is ${found.mac}, not ${spec.mac}`)
      }
      return found
    })

    const ensureAddress = Effect.fnUntraced(function*(link: LinkName.LinkName, address: string) {
      const object = Ipadm.addressObject(link, gatewayWord)
      const existing = (yield* ipadm.addresses).find((entry) => entry.object === object)
      if (existing?.address === address) return
      if (existing !== undefined) yield* ipadm.deleteAddr(object)
      yield* ipadm.createAddr(object, address)
    })

    const deleteVnic = (name: LinkName.LinkName) =>
      retry.whileLinkBusy(dladm.deleteVnic(name)).pipe(Effect.catchTag("LinkNotFound", () => Effect.void))

    return NetworkRuntime.of({
      ensureEtherstub: (name) => locked(name, ensureEtherstub(name)),
      ensureGateway: (spec) =>
        locked(
          spec.link,
          Effect.gen(function*() {
            yield* ensureVnic({ name: spec.link, over: spec.stub })
            yield* ensureAddress(spec.link, spec.address)
            if (!(yield* ipadm.forwarding("ipv4"))) yield* ipadm.setForwarding("ipv4", true)
          })
        ),
      ensureVnic: (spec) => locked(spec.name, ensureVnic(spec)),
      deleteVnic: (name) => locked(name, deleteVnic(name)),
      listVnics: (prefix) =>
        Effect.map(dladm.vnics, (entries) => vnicNamed(entries).filter((vnic) => vnic.name.startsWith(prefix)))
    })
  })
)
