/** The pod network of one node: brought from whatever is there to what is wanted, and the VNICs of pods one by one. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CommandLine from "./CommandLine.js"
import { CommandRunner } from "./CommandRunner.js"
import * as Dladm from "./Dladm.js"
import { HostCommandFailed, type HostError, LinkMismatch, LinkNotFound } from "./HostError.js"
import * as keyedLock from "./internal/keyedLock.js"
import { normalizeMac } from "./internal/macAddress.js"
import { detailOf } from "./internal/refusal.js"
import * as retry from "./internal/retry.js"
import * as Ipadm from "./Ipadm.js"
import * as IpNat from "./IpNat.js"
import * as LinkName from "./LinkName.js"
import * as LinkProperties from "./LinkProperties.js"
import { PodNetworkUnsettled } from "./NetworkError.js"
import * as Overlay from "./Overlay.js"
import * as PodNetwork from "./PodNetwork.js"
import * as PodNetworkPlan from "./PodNetworkPlan.js"
import * as PodNetworkState from "./PodNetworkState.js"
import * as Route from "./Route.js"

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
  /** Bytes, used when the VNIC is made; absent means that of the link below. */
  readonly mtu?: number | undefined
}

/** A VNIC as dladm shows it. @category models */
export interface Vnic {
  readonly name: LinkName.LinkName
  readonly over: string
  /** Six octets with two digits each. */
  readonly mac: string
}

/** What a reconciliation has done. @category models */
export interface Reconciled {
  /** In the order in which they were taken; none when the host was as wanted. */
  readonly taken: ReadonlyArray<PodNetworkPlan.Step>
  /** Differences that wait until a zone halts. */
  readonly deferred: ReadonlyArray<PodNetworkPlan.Obstacle>
}

/**
 * Links and addresses of one host. Everything is idempotent, and temporary: it is made again after a host reboot.
 *
 * @category services
 */
export class NetworkRuntime extends Context.Tag("@reddwarf/runtime-illumos/NetworkRuntime")<NetworkRuntime, {
  /** What `reconcile` would do at this moment. Nothing is changed. */
  readonly plan: (network: PodNetwork.PodNetwork) => Effect.Effect<PodNetworkPlan.PodNetworkPlan, HostError>
  /**
   * Compares the host with the wanted network and repairs it. Doing it twice changes nothing; after a crash at any point the
   * next one completes it. Fails with `LinkMismatch` when a name is taken by something else (all else is repaired before),
   * with `PodNetworkUnsettled` when the host differs again right after it was repaired.
   */
  readonly reconcile: (network: PodNetwork.PodNetwork) => Effect.Effect<Reconciled, HostError>
  /**
   * Forbids the VNIC of a booted zone to use any address but the given ones. Only while a zone has it: zoneadmd takes no link
   * that is protected already, and itself protects it against foreign IP addresses only.
   */
  readonly protectVnic: (
    name: LinkName.LinkName,
    addresses: ReadonlyArray<string>,
    protection?: ReadonlyArray<LinkProperties.Protection>
  ) => Effect.Effect<void, HostError>
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

const mismatch = (operation: string, name: LinkName.LinkName, detail: string) =>
  Effect.fail(new LinkMismatch({ operation, object: name, detail }))

const vnicNamed = (entries: ReadonlyArray<Dladm.VnicEntry>) =>
  entries.flatMap((entry): Array<Vnic> =>
    LinkName.is(entry.link) ? [{ name: entry.link, over: entry.over, mac: entry.mac }] : []
  )

/** Refusals which mean that what a step wants is so already. */
const alreadyDone: ReadonlySet<string> = new Set(["LinkExists", "AddressExists", "AddressNotFound", "RouteExists", "RouteNotFound"])

/** Such a step needs a link that was there a moment ago: that of a pod may have gone with its pod. */
const isOfProperty = ({ type }: PodNetworkPlan.Action): boolean => type === "set-link-property" || type === "reset-link-property"

/** The first repairs; the second finds what somebody else changed meanwhile, or that nothing is left to do. */
const mostPasses = 3

const succeed = (runner: CommandRunner["Type"], operation: string, object: string, line: CommandLine.CommandLine) =>
  Effect.flatMap(runner.run(line), (result) =>
    result.exitCode === 0
      ? Effect.void
      : Effect.fail(new HostCommandFailed({ operation, object, detail: detailOf(result), exitCode: result.exitCode })))

const writeFile = (runner: CommandRunner["Type"], path: string, content: string): Effect.Effect<void, HostError> =>
  Effect.scoped(Effect.gen(function*() {
    const folder = path.slice(0, path.lastIndexOf("/"))
    yield* succeed(runner, "make folder", folder, CommandLine.make("/usr/bin/mkdir", "-p", folder))
    const temporary = yield* runner.tempFile("targets.json", content)
    yield* succeed(runner, "write", path, CommandLine.make("/usr/bin/cp", temporary, path))
  }))

const enableFilterService = (runner: CommandRunner["Type"]): Effect.Effect<void, HostError> =>
  succeed(
    runner,
    "enable",
    PodNetworkState.filterService,
    CommandLine.make("/usr/sbin/svcadm", "enable", "-s", PodNetworkState.filterService)
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
    const overlays = Overlay.make(runner)
    const routes = Route.make(runner)
    const nat = IpNat.make(runner)
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

    /** What can be changed on a VNIC that exists. */
    const renew = Effect.fnUntraced(function*(spec: VnicSpec) {
      const found = new Map((yield* dladm.properties(["allowed-ips", "maxbw", "protection", "zone"], spec.name)).map((entry) => [entry.property, entry.value]))
      const current = found.get("maxbw") ?? ""
      if (spec.maxbw !== undefined && !LinkProperties.equivalent("maxbw", current, LinkProperties.bandwidth(spec.maxbw))) {
        yield* dladm.setProperty(spec.name, "maxbw", LinkProperties.bandwidth(spec.maxbw))
      }
      if (spec.maxbw === undefined && current !== "") yield* dladm.resetProperty(spec.name, "maxbw")
      if (!PodNetworkState.isInGlobalZone(found.get("zone") ?? "")) return
      // Left when a zone went away at the wrong moment; with it no zone could take the link.
      for (const property of ["protection", "allowed-ips"]) {
        if ((found.get(property) ?? "") !== "") yield* dladm.resetProperty(spec.name, property)
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
          properties: LinkProperties.render({ maxbw: spec.maxbw, mtu: spec.mtu })
        }).pipe(
          // Somebody else may create it between the look and the command.
          Effect.catchTag("LinkExists", (error) => Effect.filterOrFail(findVnic(spec.name), (vnic) => vnic !== undefined, () => error))
        )
        found = yield* findVnic(spec.name)
      } else yield* renew(spec)
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

    const observe = (network: PodNetwork.PodNetwork) => PodNetworkState.read(runner, network)

    const apply = (network: PodNetwork.PodNetwork, action: PodNetworkPlan.Action): Effect.Effect<unknown, HostError> => {
      switch (action.type) {
        case "write-overlay-targets":
          return writeFile(runner, action.path, action.content)
        case "create-overlay":
          return overlays.create(action.options)
        case "delete-overlay":
          return retry.whileLinkBusy(overlays.remove(action.link))
        case "create-etherstub":
          return dladm.createEtherstub(action.link)
        case "delete-etherstub":
          return dladm.deleteEtherstub(action.link)
        case "create-vnic":
          return dladm.createVnic({ name: action.link, over: action.over, mac: action.mac, properties: action.properties })
        case "delete-vnic":
          return deleteVnic(action.link)
        case "set-link-property":
          return dladm.setProperty(action.link, action.property, action.value)
        case "reset-link-property":
          return dladm.resetProperty(action.link, action.property)
        case "create-address":
          return ipadm.createAddr(Ipadm.addressObject(action.link, action.word), action.address)
        case "create-link-local-address":
          return ipadm.createAddrConf(Ipadm.addressObject(action.link, action.word), { stateful: false, stateless: false })
        case "delete-address":
          return ipadm.deleteAddr(Ipadm.addressObject(action.link, action.word))
        case "delete-interface":
          return ipadm.deleteIf(action.link)
        case "enable-forwarding":
          return ipadm.setForwarding(action.protocol, true)
        case "add-route":
          return routes.add(action)
        case "delete-route":
          return routes.remove(action)
        case "enable-filter-service":
          return enableFilterService(runner)
        case "replace-nat-rules":
          break
      }
      return nat.replace(({ rule }) => PodNetwork.isOwnRule(network, rule), PodNetwork.natRules(network))
    }

    /** Takes the steps. A route that cannot be added keeps nothing else from being done, and is reported at the end. */
    const take = (network: PodNetwork.PodNetwork, steps: ReadonlyArray<PodNetworkPlan.Step>): Effect.Effect<void, HostError> =>
      Effect.gen(function*() {
        let refused: HostError | undefined
        for (const step of steps) {
          const outcome = yield* apply(network, step.action).pipe(
            // Somebody else was quicker; the next look tells whether it is as wanted.
            Effect.catchIf((error) => alreadyDone.has(error._tag) || (error._tag === "LinkNotFound" && isOfProperty(step.action)), () => Effect.void),
            Effect.either
          )
          if (outcome._tag === "Right") continue
          if (step.action.type !== "add-route") return yield* Effect.fail(outcome.left)
          refused ??= outcome.left
        }
        return refused
      }).pipe(Effect.flatMap((refused) => refused === undefined ? Effect.void : Effect.fail(refused)))

    const reconcile = (wanted: PodNetwork.PodNetwork) =>
      Effect.gen(function*() {
        const network = yield* PodNetwork.check(wanted)
        const taken: Array<PodNetworkPlan.Step> = []
        for (let pass = 0; pass < mostPasses; pass++) {
          const plan = PodNetworkPlan.make(network, yield* observe(network))
          if (plan.steps.length > 0) {
            yield* take(network, plan.steps)
            taken.push(...plan.steps)
            continue
          }
          const conflict = plan.conflicts[0]
          if (conflict !== undefined) return yield* mismatch("set up", conflict.link, conflict.detail)
          return { taken, deferred: plan.deferred }
        }
        const { steps } = PodNetworkPlan.make(network, yield* observe(network))
        if (steps.length === 0) return { taken, deferred: [] }
        return yield* new PodNetworkUnsettled({
          operation: "set up the pod network over",
          object: PodNetwork.podLinksOver(network.segment),
          detail: steps.map(PodNetworkPlan.describe).join("; ").slice(0, 600)
        })
      })

    // In one command, so that there is no moment at which the zone may use no address at all.
    const protectVnic = (
      name: LinkName.LinkName,
      addresses: ReadonlyArray<string>,
      protection: ReadonlyArray<LinkProperties.Protection>
    ) => dladm.setProperties(name, LinkProperties.render({ allowedIps: addresses, protection }))

    return NetworkRuntime.of({
      plan: (network) =>
        Effect.gen(function*() {
          const checked = yield* PodNetwork.check(network)
          return PodNetworkPlan.make(checked, yield* observe(checked))
        }),
      reconcile: (network) => locked("", reconcile(network)),
      protectVnic: (name, addresses, protection) =>
        locked(name, protectVnic(name, addresses, protection ?? LinkProperties.everyProtection)),
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
